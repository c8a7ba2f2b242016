"""The whole service on embedded servers."""
