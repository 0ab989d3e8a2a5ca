"""Run a command as an ordinary user who exists for this only: `python .ci/as_user.py COMMAND...` (as root)."""

import os
import sys
import tempfile
from pathlib import Path

from tinytorch.processes.box import pythons_own
from tinytorch.processes.mounts import open_to_others

USER = 54_321  # nobody else's


def main() -> None:
    """Become that user, with a home of its own, and a Python and a checkout that it can reach."""
    home = tempfile.mkdtemp(prefix="ordinary-user-")
    os.chmod(home, 0o755)  # noqa: PTH101
    Path(home, "notes.txt").write_text("something at home\n")
    for path in (Path(home), Path(home, "notes.txt")):
        os.chown(path, USER, USER)
    checkout = str(Path(__file__).resolve().parents[1])
    open_to_others([*pythons_own(), checkout, home])
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    os.environ.update(HOME=home, TMPDIR=home, TITO_CACHE=f"{home}/cache", PYTHONDONTWRITEBYTECODE="1")
    os.execvp(sys.argv[1], sys.argv[1:])


main()
