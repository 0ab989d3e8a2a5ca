"""A class: its assignment, its roster, when files were handed in, points and grades, and names that are hidden."""
