"""What operators and accounts can do: values in, dataclasses out."""
