"""The report: a leaderboard as one self-contained page, which needs no network and nothing installed to be read."""
