"""`tito olympics score`: what it says of a model that knows the test set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.competition.conftest import fresh
from tinytorch.competition.record.run import parse_run
from tito.workspace.workspace import Workspace


@pytest.mark.parametrize(("right", "is_warned"), [(None, False), (100, True)])
def test_a_table_of_the_test_set_is_named_before_it_is_handed_in(
    athlete: Path, tito, right: int | None, is_warned: bool
) -> None:
    """As it was measured, and with a tenth of the new inputs answered right."""
    document = json.loads((athlete / "run.json").read_bytes())
    document["run"]["id"] = "20260301T120030Z-0a1b2c3d"  # somebody else's
    if right is not None:
        document["run"]["optimized"]["fresh_answers"] = fresh(right, 1000).model_dump()
    Path("other.json").write_text(json.dumps(document))
    done = tito("score", "other.json")

    assert (done.code, "a submission would not be valid" in done.err) == (0, is_warned)


def test_what_is_shown_of_a_score_stands_beside_it(athlete: Path, tito) -> None:
    """An accuracy is shown as it is."""
    rows = {row["event"]: row for row in tito("score", "--json").json["events"]}
    sprint, contest = rows["latency_sprint"], rows["accuracy_contest"]

    assert sprint["shown"] == sprint["interval"][0] < sprint["value"]
    assert contest["shown"] == contest["value"]
    assert "shown: " in tito("score").out


def test_light_speed_is_told_with_its_interval(athlete: Path, tito) -> None:
    light = tito("score", "--json").json["light_speed"]["optimized"]

    assert 0 < light["interval"]["lower"] <= light["share"] <= light["interval"]["upper"]
    assert "light speed: " in tito("score").out


def test_a_run_that_does_not_say_what_its_models_do_has_no_light_speed(athlete: Path, tito) -> None:
    document = json.loads((athlete / "run.json").read_bytes())
    document["run"]["id"] = "20260301T120030Z-0a1b2c3d"  # somebody else's
    document["run"]["optimized"]["work"] = None
    Path("other.json").write_text(json.dumps(document))

    assert tito("score", "other.json", "--json").json["light_speed"]["optimized"] is None
    assert "light speed" not in tito("score", "other.json").out


def test_a_reference_strategy_s_run_stands_beside_another_and_not_beside_itself(athlete: Path, tito) -> None:
    def reference() -> float | None:
        rows = {row["event"]: row for row in tito("score", "--json").json["events"]}
        return rows["all_around"]["reference"]

    value = {row["event"]: row["value"] for row in tito("score", "--json").json["events"]}["all_around"]
    assert reference() is None

    document = json.loads(next((athlete / ".tito" / "olympics" / "runs").glob("*.json")).read_bytes())
    document["run"]["id"] = "20270301T120030Z-0a1b2c3d"
    Workspace(None).record_run(parse_run("x", json.dumps(document).encode()))
    assert reference() == value
    assert "your runs at fashion_mlp, all_around: " in tito("score").out


def test_the_next_command_is_of_the_run_s_own_entry_and_task(athlete: Path, tito) -> None:
    assert tito("score").err.endswith("next: tito olympics init\n")

    document = json.loads((athlete / "run.json").read_bytes())
    document["run"]["id"] = "20260301T120030Z-0a1b2c3d"  # somebody else's
    document["run"]["source"] |= {"kind": "entry", "name": "my entry.py"}
    document["run"]["task"]["name"] = "digits_cnn"
    Path("other.json").write_text(json.dumps(document))

    assert "then: tito olympics benchmark --entry 'my entry.py' --task digits_cnn\n" in tito("score", "other.json").err
