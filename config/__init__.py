"""What may vary: settings and the log."""
