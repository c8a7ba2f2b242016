"""Readings and interval values: what is written, in force, replaced, summed up."""
