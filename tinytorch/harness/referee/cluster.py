"""Pieces of work handed to machines by a Dask scheduler, which sees paths and JSON only.

Whoever reaches a scheduler's port runs code on all of its machines: it is used on this machine alone, or with TLS.
A machine that died is nobody's fault: the scheduler blames whatever was queued there, so that what it gave up is done
again, alone.
"""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from tinytorch.errors import RunError, SetupMissingError, TinyTorchError, UsageError
from tinytorch.harness.prepare import Observer
from tinytorch.harness.referee.turns import Done, Item, Job, Observers, Piece, machine_alone, one_turn

if TYPE_CHECKING:
    from distributed import Client

RESOURCE = "machine"  # each machine has one
EXTRA = 'pip install "tinytorch-olympics[cluster]"'
START = "dask worker SCHEDULER --nthreads 1 --resources machine=1"
CONNECT_LIMIT_S = 10.0
LOOK_S = 2.0  # how often it is looked whether any machine is left
AGAIN_S = 0.1
TELL_S = 0.5  # between two words about one piece
LAST_LIMIT_S = 600.0
PORTS = range(1, 65_536)


@dataclass(frozen=True)
class Tls:
    """The files that prove who is who: of the authority, and of us."""

    ca: Path
    cert: Path
    key: Path


class Returned(NamedTuple):
    """What a machine sends back: what came of the piece, or why nothing can be done there."""

    worker: str
    text: str = ""
    is_kept: bool = False
    refusal: str = ""


class Cluster:
    """The machines of a scheduler at `tcp://HOST:PORT`, or with `tls` at `tls://HOST:PORT`.

    UsageError for an address that is none, or one of another machine without TLS; SetupMissingError without Dask.
    """

    def __init__(self, address: str, tls: Tls | None = None) -> None:
        self.address = _checked(address, tls)
        self._tls = tls
        self._unfit: dict[str, str] = {}

    def results(self, job: Job, pieces: list[Piece], folder: Path, told: Observers) -> Iterator[tuple[Piece, Done]]:
        """As they end; those whose machines died come last, each done again while nothing else is."""
        with self._client() as client, _heard(client, told) as topic:
            lost: list[Piece] = []

            def submitted(piece: Piece) -> Any:
                """On any machine that has not said that it can do nothing."""
                fit = None if not self._unfit else [each for each in _machines(client) if each not in self._unfit]
                return client.submit(
                    _turn, job, piece, str(folder), topic, key=f"{topic}-{piece.id}-{secrets.token_hex(4)}",
                    resources={RESOURCE: 1}, workers=fit, retries=0, pure=False,
                )  # fmt: skip

            for piece, done in self._ended(client, submitted, pieces, told):
                if done is None:
                    lost.append(piece)
                else:
                    yield piece, done
            for piece in lost:
                told(piece.id).say("its machine died: it is done again, alone")
                (again,) = (done for _, done in self._ended(client, submitted, [piece], told))
                yield piece, again or Done("", False, "the machine that worked on it died, twice")

    def on_each(self, job: Job, item: Item, told: Observer) -> None:
        """The job once on every machine that is there now; where it does not end well that is told."""
        with self._client() as client, _heard(client, lambda id_: told) as topic:
            from distributed import wait

            futures = [
                client.submit(
                    _alone, job, item, topic, workers=[each], resources={RESOURCE: 1}, retries=0, pure=False,
                    key=f"{topic}-{each}",
                )
                for each in _machines(client)
                if each not in self._unfit
            ]  # fmt: skip
            try:
                wait(futures, timeout=LAST_LIMIT_S)
            except TimeoutError:
                told.say(f"warning: not every machine has ended after {LAST_LIMIT_S:g} s")
            for future in futures:
                if future.status == "error":
                    told.say(f"warning: {_line(future.exception())}")

    def _ended(
        self, client: Client, submitted: Callable[[Piece], Any], pieces: list[Piece], told: Observers
    ) -> Iterator[tuple[Piece, Done | None]]:
        """Each piece as it ends, None of one that the scheduler gave up because machines died."""
        from distributed import wait

        waiting = {submitted(piece): piece for piece in pieces}
        is_told = False
        while waiting:
            try:
                ended = wait(list(waiting), timeout=LOOK_S, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                is_told = self._look(client, told(next(iter(waiting.values())).id), is_told)
                continue
            for future in ended:
                if future.status == "lost":  # what came of it lay on a machine that died, and is made again
                    time.sleep(AGAIN_S)
                    continue
                piece = waiting.pop(future)
                found = _result(future)
                if found is not None and found.refusal:
                    self._refuse(client, found, told(piece.id))
                    waiting[submitted(piece)] = piece
                else:
                    yield piece, found and Done(found.text, found.is_kept)

    def _look(self, client: Client, told: Observer, is_told: bool) -> bool:
        """Say once when no machine is left; whoever comes later is given what waits. RunError without a scheduler."""
        if client.status not in ("running", "connecting"):
            raise RunError(f"the scheduler at {self.address} is gone", mend="start it, and give the same command again")
        if any(each not in self._unfit for each in _machines(client)):
            return False
        if not is_told:
            told.say(f"no machine is there; waiting for one: {START.replace('SCHEDULER', self.address)}")
        return True

    def _refuse(self, client: Client, found: Returned, told: Observer) -> None:
        """A machine where nothing can be done gets nothing more. SetupMissingError when it was the last."""
        if found.worker not in self._unfit:
            told.say(f"warning: {found.worker} can verify nothing and gets no more: {found.refusal}")
        self._unfit[found.worker] = found.refusal
        if all(each in self._unfit for each in _machines(client)):
            raise SetupMissingError(f"no machine can verify anything: {found.refusal}", mend="mend that on one of them")

    @contextlib.contextmanager
    def _client(self) -> Iterator[Client]:
        try:
            from distributed import Client
            from distributed.security import Security
        except ImportError:
            raise SetupMissingError("Dask is not installed", mend=EXTRA) from None
        tls = self._tls
        security = Security(
            tls_ca_file=str(tls.ca), tls_client_cert=str(tls.cert), tls_client_key=str(tls.key),
            require_encryption=True,
        ) if tls else None  # fmt: skip
        try:
            client = _within(CONNECT_LIMIT_S, lambda: Client(self.address, timeout=CONNECT_LIMIT_S, security=security))
        except (OSError, ValueError, MemoryError, RuntimeError) as error:
            mend = f"start one with: dask scheduler; then on each machine: {START.replace('SCHEDULER', self.address)}"
            raise SetupMissingError(f"no scheduler answers at {self.address}: {_line(error)}", mend=mend) from error
        try:
            yield client
        finally:
            client.close(timeout=LOOK_S)


def _within(limit_s: float, make: Callable[[], Any]) -> Any:
    """What is made, or TimeoutError: whoever accepts and says nothing is waited for without end otherwise."""
    made: list[Any] = []

    def work() -> None:
        try:
            made.append(make())
        except Exception as error:  # noqa: BLE001 - it is raised again where somebody waits for it
            made.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(2 * limit_s)
    if not made:
        raise TimeoutError(f"nothing was heard for {2 * limit_s:g} s")
    if isinstance(made[0], Exception):
        raise made[0]
    return made[0]


def _checked(address: str, tls: Tls | None) -> str:
    """The address, where it may be used."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("tcp", "tls") or not host or port not in PORTS:
        raise UsageError(f"--scheduler {address}: this is no address", mend="--scheduler tcp://HOST:8786")
    if tls is None and (parts.scheme == "tls" or not _is_local(host)):
        mend = "add --tls-ca FILE --tls-cert FILE --tls-key FILE, or use --shard, which needs no scheduler"
        raise UsageError(f"whoever reaches the port of {address} runs code there: it needs TLS", mend=mend)
    for path in (tls.ca, tls.cert, tls.key) if tls else ():
        if not path.is_file():
            raise UsageError(f"there is no file {path}", mend="give the files of --tls-ca, --tls-cert and --tls-key")
    return f"tls://{parts.netloc}" if tls else address


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _machines(client: Client) -> list[str]:
    """The addresses of the workers that are a machine each."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return [address for address, each in workers.items() if each["resources"].get(RESOURCE)]


def _result(future: Any) -> Returned | None:
    """None where the scheduler gave up: `KilledWorker`. RunError where there is no scheduler any more."""
    from distributed.scheduler import KilledWorker

    if future.status == "finished":
        return Returned(*future.result())
    if future.status == "error":
        error = future.exception()
        if isinstance(error, KilledWorker):
            return None
        raise RunError(f"a machine could not run it: {_line(error)}", mend="install the same version on all machines")
    raise RunError("the scheduler is gone", mend="start it, and give the same command again")


@contextlib.contextmanager
def _heard(client: Client, told: Observers) -> Iterator[str]:
    """A topic, on which machines tell how far they are."""
    topic = f"tinytorch-{secrets.token_hex(4)}"

    def hear(event: tuple[Any, dict[str, Any]]) -> None:
        word = event[1]
        observer = told(word["id"])
        if "say" in word:
            observer.say(f"{word['host']}: {word['say']}")
        else:
            observer.progress(f"{word['stage']}@{word['host']}", word["share"])

    client.subscribe_topic(topic, hear)
    try:
        yield topic
    finally:
        client.unsubscribe_topic(topic)


def _turn(job: Job, piece: Piece, folder: str, topic: str) -> tuple[Any, ...]:
    """On the machine: the piece, alone there. Nothing of an entry is run in this process, but in boxes below it."""
    from distributed import get_worker

    address = get_worker().address
    try:
        done = one_turn(job, Piece(*piece), Path(folder), _observer(piece.id, topic))
    except (TinyTorchError, OSError) as error:
        return tuple(Returned(address, refusal=_line(error)))
    return tuple(Returned(address, done.text, done.is_kept))


def _observer(id_: str, topic: str) -> Observer:
    """On the machine: who tells the topic how far a piece is, every now and then."""
    from distributed import get_worker

    worker, last = get_worker(), [0.0]

    def tell(**words: Any) -> None:
        worker.log_event(topic, {"id": id_, "host": socket.gethostname(), **words})

    def progress(stage: str, share: float) -> None:
        if time.monotonic() - last[0] > TELL_S:
            last[0] = time.monotonic()
            tell(stage=stage, share=share)

    return Observer(progress, lambda message: tell(say=message))


def _alone(job: Job, item: Item, topic: str) -> None:
    observer = _observer("", topic)
    with machine_alone(observer):
        job(item, observer)


def _line(error: object) -> str:
    return " ".join(str(error).split()) or type(error).__name__
