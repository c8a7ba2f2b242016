"""Bytes to a Letter, pure and total."""
