"""Whose submission it is: the names that were given, else git's, else nobody's."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from tinytorch.errors import UsageError
from tinytorch.showing import from_argument, is_blank
from tito.terminal import screen

ANONYMOUS = "anonymous"
GIT_LIMIT_S = 5.0
NOT_SET = 1  # the exit status of `git config` for a name that is not there
HINT = "so the athlete is 'anonymous'; give your name with --athlete NAME"


def names(given: Sequence[str] | None) -> list[str]:
    """The name to submit under, or those of a team; never the login name."""
    if not given:
        return [_from_git()]
    if any(map(is_blank, given)):
        raise UsageError("--athlete is empty", mend="give a name, or leave --athlete out to take git's user.name")
    return list(map(from_argument, given))


def _from_git() -> str:
    """Git's `user.name`, else `anonymous` with the reason."""
    try:
        command = ["git", "config", "user.name"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=GIT_LIMIT_S)
    except FileNotFoundError:
        return _anonymous("there is no git here")
    except (OSError, subprocess.SubprocessError) as error:  # not executable, no program at all, or it does not answer
        return _anonymous(f"git does not work ({getattr(error, 'strerror', None) or 'no answer'})")
    found = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode not in (0, NOT_SET):
        return _anonymous(f"git does not work (exit status {done.returncode})")
    if not found:
        return _anonymous("git knows no user.name")
    if "\ufffd" in found:
        screen.say(
            "hint: git's user.name is not UTF-8; where it could not be read stands \ufffd: --athlete NAME mends it"
        )
    return found


def _anonymous(reason: str) -> str:
    screen.say(f"hint: {reason}, {HINT}")
    return ANONYMOUS
