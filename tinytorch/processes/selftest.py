"""The self-test of a box: every probe tried in it, from a referee that has what must not be reached."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import psutil

from tinytorch import owners
from tinytorch.errors import RunError
from tinytorch.processes.box import PACKAGE, Box, plain_environment
from tinytorch.processes.failure import WorkerFailedError
from tinytorch.processes.killing import MARK
from tinytorch.processes.probes import PROBES, Told
from tinytorch.processes.worker import Worker

SERVICE = "tinytorch.processes.probes:Probes"
PROGRAM = "tinytorch.processes.probes"
LIMIT_S = 30.0
GIVEN = (MARK, "PWD")  # by the worker, and by bubblewrap
NEEDED = frozenset({  # without these what is measured in a box proves nothing
    "TCP to the referee's port", "UDP", "abstract socket", "the referee's memory", "ptrace", "private file",
    "writes outside", "signals", "survivor",
})  # fmt: skip
_SET_PTRACER, _ANY = 0x59616D61, ctypes.c_ulong(-1)  # PR_SET_PTRACER: linux/prctl.h

Attempt = Callable[[str, Told], tuple[bool, str]]


@dataclass(frozen=True)
class Probe:
    """One forbidden act: whether it succeeded, and what came of it."""

    name: str
    is_open: bool
    words: str


@dataclass(frozen=True)
class SelfTest:
    """All probes in one tier."""

    tier: Literal["A", "B", "C"]
    probes: tuple[Probe, ...]

    @property
    def blocked(self) -> int:
        """How many acts were forbidden."""
        return sum(not probe.is_open for probe in self.probes)

    @property
    def open(self) -> list[str]:
        """Names of the acts that succeeded."""
        return [probe.name for probe in self.probes if probe.is_open]

    @property
    def holds(self) -> bool:
        """Whether measuring in such a box means anything."""
        return self.tier != "C" and not NEEDED & set(self.open)


def self_test(box: Box | None, told: Callable[[float], None] = lambda share: None) -> SelfTest:
    """Try every probe; without a box in a plain process, as the control: there each must succeed.

    A probe that the machine forbids to everybody shows so in the control, too.
    """
    probes = []
    with _referee() as referee:
        for number, name in enumerate(PROBES):
            probes.append(_probed(name, referee, box))
            told((number + 1) / len(PROBES))
    return SelfTest(box.tier if box else "C", tuple(probes))


def _probed(name: str, referee: Told, box: Box | None) -> Probe:
    try:
        is_open, words = _in_box(name, referee, box) if box else _in_the_open(name, referee)
    except WorkerFailedError as failure:  # the act ended whoever tried it
        return Probe(name, False, f"it ended: {failure.detail}")
    if name == "writes outside":
        return _looked_for(name, referee.outside, referee.token, words)
    if name == "survivor":
        return Probe(name, *_survivor(referee.token, words))
    return Probe(name, is_open, words)


def _in_box(name: str, referee: Told, box: Box) -> tuple[bool, str]:
    with Worker(SERVICE, box=box) as worker:
        by_right = {
            "descriptors": list(worker.descriptors), "leads": list(box.everything_readable()),
            "variables": [*plain_environment(), *GIVEN],
        }  # fmt: skip
        reply = worker.ask("attempt", LIMIT_S, name=name, told={**asdict(referee), **by_right})
    return reply["is_open"] is True, str(reply["words"])


def _in_the_open(name: str, referee: Told) -> tuple[bool, str]:
    """In a process that nothing holds, which inherits a descriptor that nobody told it of."""
    ctypes.CDLL(None).prctl(_SET_PTRACER, _ANY, 0, 0, 0)  # where Yama forbids it to all but parents; an error is none
    strange = os.open(referee.private_file, os.O_RDONLY)
    command = [sys.executable, "-P", "-m", PROGRAM, name, json.dumps(asdict(referee))]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=LIMIT_S, pass_fds=(strange,),
            env=environment,
        )  # fmt: skip
    finally:
        os.close(strange)
        ctypes.CDLL(None).prctl(_SET_PTRACER, 0, 0, 0, 0)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise RunError(f"the control of {name!r} failed: {''.join(said)}", mend="run the same command again")
    reply = json.loads(done.stdout)
    return reply["is_open"], reply["words"]


def _looked_for(name: str, folders: list[str], token: str, words: str) -> Probe:
    """What was written is looked for outside, and removed."""
    left = [folder for folder in folders if (Path(folder) / token).exists()]
    for folder in left:
        (Path(folder) / token).unlink()
    return Probe(name, bool(left), f"a file in {', '.join(left)}" if left else f"nothing outside ({words})")


def _survivor(token: str, words: str) -> tuple[bool, str]:
    alive = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == token[:15] and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return bool(alive), f"{len(alive)} still alive" if alive else f"none is left ({words})"


@contextmanager
def _referee() -> Iterator[Told]:
    """What a referee has: ports, a socket, labels in memory, a private file, a home."""
    token, mark = f"probe{secrets.token_hex(8)}", secrets.token_bytes(24)
    with ExitStack() as stack:
        labels = bytearray(mark * 4)
        folder = stack.enter_context(owners.scratch())
        secret = folder / "labels"
        secret.write_bytes(b"private")
        port = stack.enter_context(_listening(socket.AF_INET, ("127.0.0.1", 0)))
        abstract = stack.enter_context(_listening(socket.AF_UNIX, f"\0{token}"))
        datagrams = stack.enter_context(_echoing())
        home = _home(folder)
        outside = ["/tmp", "/var/tmp", "/dev/shm", "/dev", str(home), str(folder), sys.prefix, str(PACKAGE)]
        yield Told(
            referee=os.getpid(), began=owners.began(os.getpid()) or 0, port=port.getsockname()[1],
            datagram_port=datagrams.getsockname()[1], abstract_name=token, mark_reversed=mark[::-1].hex(),
            private_file=str(secret), home=str(home), leads=[], variables=[], descriptors=[], outside=outside,
            token=token, temporary_bytes=2**28,
        )  # fmt: skip
        del labels[:], abstract


def _home(folder: Path) -> Path:
    """The user's; where that is empty or not to be had, a folder with something in it."""
    with suppress(OSError, RuntimeError):
        home = Path.home()
        if any(home.iterdir()):
            return home
    return folder


@contextmanager
def _listening(family: int, address: object) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)  # type: ignore[arg-type]
        listener.listen(8)
        yield listener


@contextmanager
def _echoing() -> Iterator[socket.socket]:
    """Answers each datagram with itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        is_over = threading.Event()

        def echo() -> None:
            while not is_over.is_set():
                with contextlib.suppress(OSError):
                    content, sender = port.recvfrom(100)
                    port.sendto(content, sender)

        port.settimeout(0.1)
        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            is_over.set()
            thread.join()
