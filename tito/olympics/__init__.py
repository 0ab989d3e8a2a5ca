"""tito olympics."""
