"""The composition root: settings in, one whole service out, or one error."""
