"""Workbooks as people fill them in: what is meant is found by its words, no cell is passed over."""
