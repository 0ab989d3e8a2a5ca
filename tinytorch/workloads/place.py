"""Where a user's cache is: trained baselines, and the key of the indices. Light: it knows no task."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from tinytorch.errors import SetupMissingError

NAME_ANOTHER = "name another folder with TITO_CACHE"


def users_folder() -> Path:
    """The user's cache folder, which may not be there yet; SetupMissingError where nobody can say where it is."""
    folder = platformdirs.user_cache_path("tinytorch-olympics")
    if not folder.is_absolute():  # it begins with a `~` that nobody could resolve
        message = "you have no home folder in which the trained baseline could be kept"
        raise SetupMissingError(message, mend=NAME_ANOTHER)
    return folder
