"""What we keep: the ledger of letters, the register of points, readings, replies."""
