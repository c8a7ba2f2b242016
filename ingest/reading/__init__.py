"""Hostile bytes, read in child processes."""
