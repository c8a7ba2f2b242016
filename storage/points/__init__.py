"""The register of points: its rows, and what an import would change."""
