"""A box for a worker: what code that nobody needs to trust may see, write, start and use up.

Tier A is bubblewrap: namespaces of its own, a read-only system, and no way to the network. Tier B needs no namespaces:
Landlock and seccomp, which a process puts upon itself (`confine`). A worker without a box is tier C.
"""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

from tinytorch.errors import SetupMissingError
from tinytorch.processes import confine
from tinytorch.processes.mounts import open_to_others

Tier = Literal["A", "B"]
BOXES: tuple[Tier, ...] = ("A", "B")

NOBODY = 65534  # the user and group that own nothing, by Linux's convention
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives")
PACKAGE = Path(__file__).parents[1]
KEPT_VARIABLES = ("OPENBLAS_", "GOTO_", "MKL_", "OMP_", "BLIS_", "NUMBA_", "VECLIB_")  # how numbers are computed
TRY_LIMIT_S = 20.0
SETTINGS = Path("/proc/sys")  # of the kernel


@dataclass(frozen=True)
class Limits:
    """What the box may use: of memory and of processor time for each process, of temporary files altogether."""

    memory_bytes: int = 4 * 2**30
    temporary_bytes: int = 2**28
    file_bytes: int = 2**28
    files: int = 256
    processes: int = 64
    processor_s: int = 600


@dataclass(frozen=True)
class Box:
    """Where a worker runs: it reads the system, Python, this package and `readable`, but nothing that is `masked`.

    `before` is the address of a function of ours, which is called with the tier and the box's `given` before the walls
    close.
    """

    tier: Tier
    readable: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    before: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    @property
    def writable(self) -> tuple[str, ...]:
        """Folders that its processes may write in, which go with it."""
        return confine.WRITABLE if self.tier == "A" else ()

    def command(self, command: list[str], environment: Mapping[str, str]) -> list[str]:
        """The command line that runs `command` inside."""
        if self.tier == "B":
            return command
        inside = {**plain_environment(), **environment}
        return [_bubblewrap(), *_NAMESPACES, *_variables(inside), *self._mounts(), "--chdir", "/tmp", "--", *command]

    def popen_options(self, environment: Mapping[str, str]) -> dict[str, Any]:
        """What `subprocess.Popen` is told besides: root becomes nobody first, else a flood of forks is not held."""
        outside = {} if self.tier == "A" else {**plain_environment(), **environment}
        options: dict[str, Any] = {"env": outside, "cwd": "/"}
        if os.geteuid() == 0:
            options["preexec_fn"] = partial(_become_nobody, list(self.everything_readable()))
        return options

    def inside(self) -> str:
        """What the worker's own first lines are told (`confine.Walls`), as JSON."""
        program = seccomp_program(self.tier)
        readable, listed = self._landlocked()
        walls = confine.Walls(
            tier=self.tier, readable=readable, listed=listed, before=self.before, given=dict(self.given),
            program=program.hex(), limits=asdict(self.limits),
        )  # fmt: skip
        return json.dumps(walls._asdict())

    def _mounts(self) -> Iterable[str]:
        for path in SYSTEM:
            if Path(path).is_symlink():
                yield from ("--symlink", str(Path(path).readlink()), path)
            elif Path(path).exists():
                yield from ("--ro-bind", path, path)
        yield from ("--proc", "/proc", "--dev", "/dev")
        for place in confine.WRITABLE:
            yield from ("--size", str(self.limits.temporary_bytes), "--tmpfs", place)
        for path in self.everything_readable():
            yield from ("--ro-bind", path, path)
        for path in self.masked:
            yield from ("--ro-bind", "/dev/null", path)
        yield from ("--remount-ro", "/dev", "--remount-ro", "/")

    def everything_readable(self) -> Iterable[str]:
        """Folders and files at their own places, none inside another one or in the system."""
        wanted = [*pythons_own(), str(PACKAGE), *self.readable]
        return _outermost(path for path in wanted if not _is_below(path, SYSTEM))

    def _landlocked(self) -> tuple[list[str], list[str]]:
        """What Landlock lets a process read, and what list: it cannot hide a part of what it shows."""
        wanted, masked = [*pythons_own(), str(PACKAGE), *self.readable], set(map(Path, self.masked))
        readable = [part for path in _outermost(wanted) for part in _without(Path(path), masked)]
        within = {folder for path in masked for folder in path.parents if any(map(folder.is_relative_to, wanted))}
        return readable, sorted(map(str, within))


_NAMESPACES = (
    "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
    "--uid", str(NOBODY), "--gid", str(NOBODY), "--hostname", "box", "--die-with-parent", "--new-session",
    "--cap-drop", "ALL", "--disable-userns", "--clearenv",
)  # fmt: skip


@cache
def seccomp_program(tier: Tier) -> bytes:
    """The filter of system calls as the kernel reads it; empty where the library for it is not installed."""
    try:
        import pyseccomp
    except (ImportError, RuntimeError):  # the latter where there is no libseccomp
        return b""
    return confine.program(pyseccomp, tier)


@cache
def refusal(tier: Tier) -> tuple[str, str] | None:
    """Why boxes of a tier cannot be had here, and what mends it; None where they can."""
    if sys.platform != "linux":
        return "boxes need Linux", "verify on a Linux machine or in a virtual one"
    if tier == "B":
        return _refusal_of_b()
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed", "install it: apt install bubblewrap (or dnf, pacman, apk)"
    box = Box("A")
    tried = subprocess.run(
        box.command(["/bin/true"], {}), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=TRY_LIMIT_S,
        **box.popen_options({}),
    )  # fmt: skip
    if tried.returncode == 0:
        return None
    said = tried.stderr.decode("utf-8", "replace").strip().splitlines()
    if any("Unknown option" in line for line in said):
        return "bubblewrap is too old: " + said[0], "install version 0.8 or newer, or use --isolation b"
    return f"bubblewrap cannot make a box here: {said[-1] if said else tried.returncode}", mend_of_namespaces()


def _refusal_of_b() -> tuple[str, str] | None:
    if confine.landlock_version() < 1:
        return "this kernel has no Landlock (Linux 5.13 or newer, not switched off)", "use --isolation a"
    if not seccomp_program("B"):
        return "pyseccomp or libseccomp is not installed", "pip install pyseccomp; apt install libseccomp2"
    return None


def mend_of_namespaces() -> str:
    """Which setting forbids namespaces of users."""
    switches = {  # where it stands, the value that forbids, and what allows
        "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
        "kernel.unprivileged_userns_clone": ("0", "1"),
        "user.max_user_namespaces": ("0", "10000"),
    }
    for name, (forbidding, allowing) in switches.items():
        path = SETTINGS / name.replace(".", "/")
        if path.exists() and path.read_text().strip() == forbidding:
            return f"sudo sysctl {name}={allowing}, or use --isolation b"
    return "a container must allow namespaces of users (seccomp=unconfined), or use --isolation b"


def _bubblewrap() -> str:
    found = shutil.which("bwrap")
    if found is None:
        raise SetupMissingError("bubblewrap is not installed", mend="apt install bubblewrap, or use --isolation b")
    return found


def plain_environment() -> dict[str, str]:
    """All that a box has of ours: how numbers are computed, and where this package lies."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT_VARIABLES)}
    own = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LC_CTYPE": "C.UTF-8"}
    return {**kept, **own, "PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}


def _variables(environment: Mapping[str, str]) -> Iterable[str]:
    for name, value in environment.items():
        yield from ("--setenv", name, value)


@cache
def pythons_own() -> tuple[str, ...]:
    """The interpreter's folders and those of installed packages."""
    folders = [sys.prefix, sys.base_prefix, sys.exec_prefix, *site.getsitepackages(), site.getusersitepackages()]
    return tuple(folder for folder in dict.fromkeys(folders) if Path(folder).is_dir() and folder != "/usr")


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _outermost(paths: Iterable[str]) -> list[str]:
    found = sorted(dict.fromkeys(paths))
    return [path for path in found if not _is_below(path, [other for other in found if other != path])]


def _without(path: Path, masked: set[Path]) -> Iterable[str]:
    """What is at a path but for the masked files: the path itself where none is below it."""
    if path in masked:
        return
    if not any(each.is_relative_to(path) for each in masked):
        yield str(path)
        return
    for part in sorted(path.iterdir()):
        yield from _without(part, masked)


def _become_nobody(readable: list[str]) -> None:
    """In the new process, before anything else: what lies behind doors of root's is opened, then root is left."""
    open_to_others(readable)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
