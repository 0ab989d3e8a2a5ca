"""What lies on the disk: the workspace with its runs and history, documents that are read and written, the index."""
