"""Pages and figures over HTTP."""
