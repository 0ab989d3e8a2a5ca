"""Worker processes that always end: `worker` is the parent's side, `child` is the other."""

BEGUN = b"begun\n"  # the first line of a worker in a box: nothing foreign has run yet
