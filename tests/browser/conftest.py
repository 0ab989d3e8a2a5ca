"""What these tests drive a browser with comes with TINYTORCH_DEV=1; without it they cannot even be read."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("selenium") else ["test_report.py"]
