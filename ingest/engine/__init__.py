"""What runs: collecting, working, sending."""
