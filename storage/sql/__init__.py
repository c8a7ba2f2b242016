"""Statements as text, one file a matter; `storage.statements` loads them."""
