"""What only operators do, on the server and in the console."""
