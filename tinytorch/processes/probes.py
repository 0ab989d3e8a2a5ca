"""What a box must not let happen, tried: each probe attempts the forbidden act itself, and says what came of it.

A probe returns words where the act succeeded; an OSError or MemoryError says what forbade it. `selftest` starts them in
a box, and as `python -m tinytorch.processes.probes NAME TOLD` in a plain process, where every one must succeed.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytorch.owners import began

PTRACE_SEIZE = 0x4206  # unlike ATTACH it does not stop the other process: linux/ptrace.h
NEW_USERS = 0x10000000  # CLONE_NEWUSER
SET_NAME = 15  # PR_SET_NAME
THREAD_KEYRING = -1
ADD_KEY = {"x86_64": 248, "aarch64": 217}  # the C library has no function for it
FORKS, FILES, PIECES = 100, 600, 64
PIECE_BYTES = 2**28
SURVIVES_S = 30.0


@dataclass(frozen=True)
class Told:
    """What a probe is told of its referee, more than an entry would know, and what the box has by right.

    That are paths that it `leads` to, `variables` and `descriptors`.
    """

    referee: int
    began: int
    port: int
    datagram_port: int
    abstract_name: str
    mark_reversed: str
    private_file: str
    home: str
    leads: list[str]
    variables: list[str]
    outside: list[str]
    token: str
    descriptors: list[int]
    temporary_bytes: int


class Refused(Exception):  # noqa: N818 - it is an answer, no error
    """The act did not succeed, and no error says so."""


class Probes:
    """The child's end in a box."""

    def attempt(self, name: str, told: dict[str, Any]) -> dict[str, Any]:
        """Whether the act succeeded, and what is known of it."""
        return attempt(name, told)


def attempt(name: str, told: dict[str, Any]) -> dict[str, Any]:
    """The same without a box."""
    try:
        return {"is_open": True, "words": PROBES[name](Told(**told))}
    except (OSError, Refused) as error:
        return {"is_open": False, "words": getattr(error, "strerror", None) or str(error)}
    except MemoryError:
        return {"is_open": False, "words": "MemoryError"}


def tcp(told: Told) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as link:
        link.settimeout(1)
        link.connect(("127.0.0.1", told.port))
    return "the referee's port was reached"


def udp(told: Told) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(("127.0.0.1", told.datagram_port))
        link.settimeout(1)
        link.send(told.token.encode())
        if link.recv(100) != told.token.encode():
            raise Refused("another answer")
    return "a datagram was answered"


def abstract_socket(told: Told) -> str:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(f"\0{told.abstract_name}")
    return "the referee's abstract socket was reached"


def memory(told: Told) -> str:
    mark = bytes.fromhex(told.mark_reversed)[::-1]
    spans = Path(f"/proc/{told.referee}/maps").read_text().splitlines()
    with Path(f"/proc/{told.referee}/mem").open("rb", 0) as content:
        for span in spans:
            place, rights = span.split()[:2]
            first, last = (int(part, 16) for part in place.split("-"))
            with suppress(OSError, ValueError, OverflowError):  # a span that nobody reads
                if rights.startswith("rw") and content.seek(first) and mark in content.read(min(last - first, 2**28)):
                    return "the referee's labels were read"
    raise Refused("no labels were found")


def ptrace(told: Told) -> str:
    _checked(_library().ptrace(PTRACE_SEIZE, told.referee, 0, 0))
    return "the referee is traced"


def private_file(told: Told) -> str:
    return f"{len(Path(told.private_file).read_bytes())} bytes of the referee's"


def home(told: Told) -> str:
    names = [path for path in Path(told.home).iterdir() if not _leads(told, path)]
    if not names:
        raise Refused("nothing is there")
    return f"{len(names)} names in the home folder"


def passwords(told: Told) -> str:
    return f"{len(Path('/etc/passwd').read_bytes())} bytes of /etc/passwd"


def writing(told: Told) -> str:
    """The referee looks what is there afterwards: a box may have a private /tmp."""
    written, refused = [], ""
    for folder in told.outside:
        try:
            (Path(folder) / told.token).write_text("")
            written.append(folder)
        except OSError as error:
            refused = error.strerror or ""
    if not written:
        raise Refused(refused)
    return " ".join(written)


def processes(told: Told) -> str:
    if Path(f"/proc/{told.referee}") not in Path("/proc").iterdir() or not _is_the_referee(told):
        raise Refused("the referee is not among them")
    return "the referee is seen"


def signals(told: Told) -> str:
    os.kill(told.referee, 0)
    if not _is_the_referee(told):
        raise Refused("that number is another process's here")
    return "the referee can be signalled"


def environment(told: Told) -> str:
    names = [name for name in os.environ if name not in told.variables]
    if not names:
        raise Refused("nothing of the referee's")
    return f"{len(names)} variables of the referee's"


def first_environment(told: Told) -> str:
    for path in (f"/proc/{told.referee}/environ", "/proc/1/environ"):
        with suppress(OSError):
            if size_bytes := len(Path(path).read_bytes()):
                return f"{size_bytes} bytes"
    raise Refused("empty, or not to be read")


def capabilities(told: Told) -> str:
    lines = (line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    status = {name: value.strip() for name, value in lines}
    effective, is_held = int(status["CapEff"], 16), status["NoNewPrivs"] == "1"
    words = f"user {os.getuid()}, capabilities {effective:x}, new privileges {'held' if is_held else 'possible'}"
    if os.getuid() and not effective and is_held:
        raise Refused(words)
    return words


def user_namespace(told: Told) -> str:
    child = os.fork()  # only there: what comes after would be in it, too
    if child == 0:
        os._exit(0 if _library().unshare(NEW_USERS) == 0 else ctypes.get_errno())
    number = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if number:
        raise OSError(number, os.strerror(number))
    return "a new namespace of users"


def descriptors(told: Told) -> str:
    found = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
    strange = [number for number in found if number > 2 and number not in told.descriptors and _is_a_file(number)]
    if not strange:
        raise Refused(f"{len(found)}, none of them strange")
    return f"{len(strange)} of the referee's"


def keyring(told: Told) -> str:
    number = ADD_KEY.get(os.uname().machine)
    if number is None:
        raise Refused("not tried on this processor")
    _checked(_library().syscall(number, b"user", b"probe", b"x", 1, THREAD_KEYRING))
    return "a key was added"


def forks(told: Told) -> str:
    children: list[int] = []
    try:
        for _ in range(FORKS):
            child = os.fork()
            if child == 0:
                time.sleep(SURVIVES_S)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return f"{FORKS} processes"


def much_memory(told: Told) -> str:
    """Only asked for, never touched: what a process may not even address it can not take."""
    held = []
    try:
        for _ in range(PIECES):
            held.append(mmap.mmap(-1, PIECE_BYTES))
    finally:
        for piece in held:
            piece.close()
    return f"{PIECES * PIECE_BYTES / 2**30:.0f} GiB"


def much_disk(told: Told) -> str:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    folder = Path(os.environ.get("TMPDIR", "/tmp"))
    paths = [folder / f"{told.token}-{number}" for number in range(2 * told.temporary_bytes // PIECE_BYTES + 1)]
    try:
        for path in paths:
            with path.open("wb") as file:
                for _ in range(PIECE_BYTES // 2**22):
                    file.write(bytes(2**22))
    finally:
        for path in paths:
            with suppress(OSError):
                path.unlink()
    return f"{len(paths) * PIECE_BYTES / 2**20:.0f} MiB"


def many_files(told: Told) -> str:
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, highest))
    held: list[int] = []
    try:
        for _ in range(FILES):
            held.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for number in held:
            os.close(number)
    return f"{FILES} open files"


def survivor(told: Told) -> str:
    """The referee looks whether it lives when the box is gone."""
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(64):
                with suppress(OSError):
                    os.close(number)
            _library().prctl(SET_NAME, told.token[:15].encode(), 0, 0, 0)
            time.sleep(SURVIVES_S)
        os._exit(0)
    os.waitpid(child, 0)
    return "started"


PROBES: dict[str, Callable[[Told], str]] = {
    "TCP to the referee's port": tcp,
    "UDP": udp,
    "abstract socket": abstract_socket,
    "the referee's memory": memory,
    "ptrace": ptrace,
    "private file": private_file,
    "home folder": home,
    "/etc/passwd": passwords,
    "writes outside": writing,
    "process list": processes,
    "signals": signals,
    "environment": environment,
    "environment of others": first_environment,
    "capabilities": capabilities,
    "namespace of users": user_namespace,
    "inherited descriptors": descriptors,
    "keyring": keyring,
    "fork bomb": forks,
    "memory bomb": much_memory,
    "disk bomb": much_disk,
    "file bomb": many_files,
    "survivor": survivor,
}


def _leads(told: Told, path: Path) -> bool:
    """Whether a name is there only because something that may be read lies below it."""
    return any(Path(lead).is_relative_to(path) for lead in told.leads)


def _is_the_referee(told: Told) -> bool:
    """In a place of its own another process may have the same number."""
    return began(told.referee) == told.began


def _is_a_file(number: int) -> bool:
    with suppress(OSError):
        return not Path(f"/proc/self/fd/{number}").readlink().is_relative_to("/proc")
    return False


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(attempt(sys.argv[1], json.loads(sys.argv[2]))))
