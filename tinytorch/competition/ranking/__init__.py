"""Who stands where: the figures of valid submissions, how two are told apart, and the leaderboard."""
