"""matplotlib from its own settings, whatever its user has set for other figures; loaded where something is drawn."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from tinytorch.errors import SetupMissingError, UsageError

BACKEND_VARIABLE = "MPLBACKEND"
INSTALL = "pip install matplotlib"


@contextlib.contextmanager
def defaults(mend: str = INSTALL) -> Iterator[None]:
    """Draw as matplotlib does for somebody who has set nothing. SetupMissingError, with its mend, without it.

    UsageError where a settings file of its user cannot be read at all.
    """
    load(mend)
    from matplotlib import rc_context, rcdefaults

    with rc_context():
        rcdefaults()
        yield


def load(mend: str = INSTALL) -> None:
    """Import matplotlib; errors as above. A backend that there is not is no reason to fail: files need no screen."""
    if sys.modules.get("matplotlib"):
        return
    backend = os.environ.pop(BACKEND_VARIABLE, None)  # looked at while it is imported, which cannot be tried again
    try:
        import matplotlib
    except ImportError as error:
        raise SetupMissingError("matplotlib is not installed", mend=mend) from error
    except (ValueError, OSError) as error:
        words = "remove the file matplotlibrc in this folder, or the one that MATPLOTLIBRC names"
        raise UsageError("matplotlib cannot read the settings of its user", mend=words) from error
    finally:
        if backend is not None:
            os.environ[BACKEND_VARIABLE] = backend
    if backend:
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = backend  # as it does by itself: a notebook shows figures by it
