"""How arrivals come and replies go."""
