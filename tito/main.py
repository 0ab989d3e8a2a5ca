"""`python -m tito.main`, as the course's own tests call it."""

from tito.start import main

if __name__ == "__main__":
    main()
