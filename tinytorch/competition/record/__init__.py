"""What lies in files: runs, submissions, how they are read from bytes that nobody vouches for, and older versions."""
