"""The pages of the operators' console."""
