"""What makes pages, where the packages for it are installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tinytorch import drawing
from tinytorch.errors import SetupMissingError

NEEDED = {"jinja2", "markupsafe"}
INSTALL = "pip install 'tinytorch-olympics[report]'"


def maker(module: str) -> Any:
    """A module that makes pages; SetupMissingError where the packages for it are not installed."""
    drawing.load(INSTALL)
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        raise SetupMissingError(f"a page needs {error.name}, which is not installed", mend=INSTALL) from error
