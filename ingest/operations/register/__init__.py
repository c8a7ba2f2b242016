"""The file of the register of points: read, compared with what is recorded, written."""
