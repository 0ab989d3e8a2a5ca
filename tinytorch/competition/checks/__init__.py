"""Everything that is looked at in a submission: each check with its page of the manual, and the table of all."""
