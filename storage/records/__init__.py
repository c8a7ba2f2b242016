"""What passes between the store and its callers, beside the terms of the field."""
