"""How fast the service is, beside what cannot be avoided and beside its peers."""
