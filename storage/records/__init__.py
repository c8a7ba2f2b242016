"""The values that pass between the store and its callers."""
