"""What follows from one record or two: scores, what may be said of them, and what would win most next."""
