"""The course: its modules, milestones and tests, and what a student has done of it."""
