"""What makes pages, where the packages for it are installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinytorch.errors import SetupMissingError, UsageError

BACKEND_VARIABLE = "MPLBACKEND"
NEEDED = {"jinja2", "markupsafe", "matplotlib"}


def maker(module: str) -> Any:
    """A module that makes pages; SetupMissingError where the packages for it are not installed."""
    try:
        return import_module(module)
    except ValueError as error:  # matplotlib looks at it while it is imported
        if "backend" not in str(error):
            raise
        mend = f"unset {BACKEND_VARIABLE}: a page needs no screen"
        raise UsageError(f"{BACKEND_VARIABLE} names no backend of matplotlib", mend=mend) from error
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        mend = "pip install 'tinytorch-olympics[report]'"
        raise SetupMissingError(f"a page needs {error.name}, which is not installed", mend=mend) from error
