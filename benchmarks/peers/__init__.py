"""Programs of others that do comparable work, each in its own way."""
