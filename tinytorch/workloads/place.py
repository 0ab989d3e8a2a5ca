"""Where a user's cache is: trained baselines, and the key of the indices. Light: it knows no task."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from tinytorch.errors import SetupMissingError

NAME_ANOTHER = "name another folder with TITO_CACHE"


def users_folder() -> Path:
    """The user's cache folder, which may not be there yet; SetupMissingError where nobody can say where it is."""
    try:
        folder = platformdirs.user_cache_path("tinytorch-olympics")
    except RuntimeError:  # older versions give a path that begins with a `~`
        raise _no_home() from None
    if not folder.is_absolute():
        raise _no_home()
    return folder


def _no_home() -> SetupMissingError:
    message = "you have no home folder in which trained baselines and what was judged could be kept"
    return SetupMissingError(message, mend=NAME_ANOTHER)
