"""The pages of a legal entity's account."""
