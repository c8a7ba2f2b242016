"""What the pages of an entity do and tell; no HTTP, no print."""
