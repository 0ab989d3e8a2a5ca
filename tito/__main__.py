"""`python -m tito`."""

from tito.start import main

main()
