"""Several machines by a Dask scheduler: every piece once, never two at once, and nothing lost by who is killed."""

from __future__ import annotations

import json
import os
import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.harness.prepare import Observer
from tinytorch.harness.referee import cluster, turns
from tinytorch.harness.referee.cluster import Cluster, Tls
from tinytorch.harness.referee.turns import Done, in_turn

pytestmark = pytest.mark.cluster
SPAN_S = 0.02


def toy(item: Mapping[str, Any], told: Observer) -> str:
    """When it was done, on a machine that a cheat may kill."""
    if item["act"] == "kill":
        os._exit(9)
    if item["act"] == "refuse":
        raise SetupMissingError("there is no box here")
    began = time.monotonic_ns()
    time.sleep(SPAN_S)
    told.progress("measure", 1.0)
    return json.dumps({"number": item["number"], "span": [began, time.monotonic_ns()]})


def items(count: int, **acts: str) -> dict[str, dict[str, Any]]:
    return {f"e{number:02}": {"number": number, "act": acts.get(f"e{number:02}", "work")} for number in range(count)}


def _move(folder: str) -> None:
    turns.RUNTIME_FOLDERS = (Path(folder),)


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two workers, which is two machines to the scheduler, with one lock."""
    import dask
    from distributed import Client, LocalCluster

    runtime = tmp_path_factory.mktemp("runtime")
    runtime.chmod(0o1777)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, resources={cluster.RESOURCE: 1}, dashboard_address=None,
            silence_logs=50, local_directory=str(tmp_path_factory.mktemp("dask")),
        ) as found,
    ):  # fmt: skip
        with Client(found) as client:
            client.run(_move, str(runtime))
        yield found


def spans(found: Mapping[str, Done]) -> list[list[int]]:
    return sorted(json.loads(done.text)["span"] for done in found.values() if done.text)


def test_every_piece_is_done_once_and_no_two_at_once(machines: Any, tmp_path: Path) -> None:
    found = dict(in_turn(toy, items(12), tmp_path, Cluster(machines.scheduler_address)))

    assert sorted(found) == sorted(items(12))
    assert all(done.is_kept and (tmp_path / f"{id_}.json").read_text() == done.text for id_, done in found.items())
    assert all(first[1] <= second[0] for first, second in pairwise(spans(found)))


def test_what_kills_its_machine_is_lost_and_nobody_else_is(machines: Any, tmp_path: Path) -> None:
    found = dict(in_turn(toy, items(6, e02="kill"), tmp_path, Cluster(machines.scheduler_address)))

    assert {id_ for id_, done in found.items() if done.why} == {"e02"}
    assert (found["e02"].why, len(spans(found))) == ("the machine that worked on it died, twice", 5)


def test_machines_that_can_do_nothing_are_said(machines: Any, tmp_path: Path) -> None:
    said: list[str] = []
    acts = dict.fromkeys(items(2), "refuse")
    with pytest.raises(SetupMissingError, match="no machine can verify anything: there is no box here"):
        list(in_turn(toy, items(2, **acts), tmp_path, Cluster(machines.scheduler_address),
                     lambda id_: Observer(say=said.append)))  # fmt: skip

    assert all("can verify nothing and gets no more" in each for each in said)


def test_whoever_calls_hears_how_far_a_piece_is(machines: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    told = Observer(lambda stage, share: heard.append(stage))
    list(in_turn(toy, items(20), tmp_path, Cluster(machines.scheduler_address), lambda id_: told))

    assert {each.partition("@")[0] for each in heard} == {"measure"}


def gone_for_a_while(folder: Path) -> threading.Timer:
    """A folder that is not there until the timer has ended."""
    away = folder.with_name("away")
    folder.rename(away)
    timer = threading.Timer(0.2, away.rename, [folder])
    timer.start()
    return timer


def test_what_ends_badly_on_a_machine_is_told(machines: Any) -> None:
    said: list[str] = []
    Cluster(machines.scheduler_address).on_each(toy, {"act": "refuse"}, Observer(say=said.append))

    assert {each for each in said if "box" in each} == {"warning: there is no box here"}


@pytest.mark.parametrize("seed", range(3))
def test_chaos_ends_with_the_same_records(
    machines: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Workers killed at random, the call broken off and made again, the folder of results away for a while."""
    monkeypatch.setattr(turns, "KEEP_AGAIN_S", 0.05)
    generator, folder = random.Random(seed), tmp_path / "results"
    folder.mkdir()
    while len(there := {path.stem for path in folder.glob("*.json")}) < 20:
        left = {id_: item for id_, item in items(20).items() if id_ not in there}
        ends = in_turn(toy, left, folder, Cluster(machines.scheduler_address))
        for _, _ in zip(range(generator.randint(3, 12)), ends, strict=False):
            act = generator.random()
            if act < 0.1:
                os.kill(generator.choice([each.process.pid for each in machines.workers.values()]), 9)
            elif act < 0.2:
                timer = gone_for_a_while(folder)
                next(ends, None)
                timer.join()
        ends.close()
    numbers = {json.loads(path.read_text())["number"] for path in folder.glob("*.json")}

    assert numbers == set(range(20))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://192.0.2.1:8786", "it needs TLS"),
        ("tcp://lab-07:8786", "it needs TLS"),
        ("tls://127.0.0.1:8786", "it needs TLS"),
        ("http://127.0.0.1:8786", "this is no address"),
        ("127.0.0.1:8786", "this is no address"),
        ("tcp://127.0.0.1", "this is no address"),
        ("tcp://127.0.0.1:0", "this is no address"),
        ("tcp://127.0.0.1:x", "this is no address"),
        ("tcp://:8786", "this is no address"),
        ("tcp://localhost.evil.example:8786", "it needs TLS"),
        ("", "this is no address"),
    ],
)
def test_an_address_that_may_not_be_used_is_refused(address: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Cluster(address)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "tcp://127.1.2.3:1", "tcp://[::1]:8786", "tcp://localhost:8786"]
)
def test_this_machine_needs_no_tls(address: str) -> None:
    assert Cluster(address).address == address


def test_with_tls_another_machine_may_be_asked(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    assert Cluster("tcp://lab-07:8786", Tls(file, file, file)).address == "tls://lab-07:8786"
    with pytest.raises(UsageError, match="there is no file"):
        Cluster("tcp://lab-07:8786", Tls(file, file, tmp_path / "nothing"))


def test_where_no_scheduler_answers_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_LIMIT_S", 0.2)
    with pytest.raises(SetupMissingError, match="no scheduler answers at") as caught:
        list(in_turn(toy, items(1), tmp_path, Cluster("tcp://127.0.0.1:9")))

    assert "dask scheduler" in caught.value.mend


def test_a_port_that_says_nothing_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_LIMIT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SetupMissingError, match="no scheduler answers at"):
            list(in_turn(toy, items(1), tmp_path, Cluster(f"tcp://127.0.0.1:{port}")))
