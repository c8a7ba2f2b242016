"""What an arrival means: start at `receive`."""
