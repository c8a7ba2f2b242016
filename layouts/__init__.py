"""What we and the senders have agreed: forms, terms, findings and rules."""
