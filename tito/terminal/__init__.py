"""The terminal: two streams, what is drawn on them, interrupts, and tables that stay readable."""
