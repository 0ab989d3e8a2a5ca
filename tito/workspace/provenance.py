"""The commit that an entry is submitted from, asked of git; nothing where there is none."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Collection
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tito.workspace.athlete import GIT_LIMIT_S

if TYPE_CHECKING:
    from tinytorch.competition.record.declaration import Provenance

_COMMIT = re.compile(r"[0-9a-f]{40,64}")


def provenance(sources: Collection[str], folder: Path | None = None) -> Provenance | None:
    """The commit of the repository around a folder, and whether anything of an entry is not committed.

    What git does not know is passed over, unless it is one of the entry's `sources`: runs and submissions lie there.
    """
    from tinytorch.competition.record.declaration import Provenance

    commit = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    unknown = _git(folder, "ls-files", "--others", "--exclude-standard", "-z")
    if commit is None or changes is None or unknown is None or not _COMMIT.fullmatch(commit):
        return None
    names = {PurePath(source).name for source in sources}
    is_new = any(PurePath(path).name in names for path in unknown.split("\0"))
    return Provenance(commit=commit, is_dirty=bool(changes) or is_new)


def _git(folder: Path | None, *arguments: str) -> str | None:
    """What git says, without its last line end; None where there is no git, no repository, or no answer."""
    command = ["git", "-C", str(folder or Path()), *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=GIT_LIMIT_S)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
