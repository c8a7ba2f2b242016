"""What we do: a letter in, a reply out."""
