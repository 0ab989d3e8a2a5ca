"""Worker processes that always end: `worker` is the parent's side, `child` is the other."""
