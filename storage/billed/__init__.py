"""What billing takes: values in force, numbers of a month, closing, suspicions, withdrawals."""
