"""The commands as a script sees them: exit codes, stdout, stderr, files."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from tests.competition.conftest import known_run, make_run
from tinytorch.benchmarking.records.session import Doubt
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.run import Run, RunFile, parse_run
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.disturbance import quiet_times
from tinytorch.competition.scoring.scores import compared
from tito.olympics import measuring
from tito.views import runs as render
from tito.views.drawn import ROWS, block_plot
from tito.workspace.machine import MachineFile, with_what_is_known


def test_benchmark_writes_the_run_and_prints_one_document(measured) -> None:
    folder, done = measured

    assert done.code == 0, done.err
    assert done.json["file"] == "run.json"
    assert parse_run("run.json", (folder / "run.json").read_bytes()).id == done.json["run"]


def test_benchmark_talks_on_stderr_only(measured) -> None:
    _, done = measured

    assert "Measuring" in done.err
    assert "Measuring" not in done.out


def test_score_tells_eligibility_for_every_event(athlete: Path, tito) -> None:
    document = tito("score", "--json").json

    assert [row["event"] for row in document["events"]] == list(OlympicEvent)
    assert all(row["eligible"] for row in document["events"])


@pytest.mark.parametrize("reference", ["run.json", None])
def test_score_takes_a_file_or_the_last_run(athlete: Path, tito, reference: str | None) -> None:
    assert tito("score", *([reference] if reference else []), "--json").code == 0


@pytest.mark.parametrize("event", OlympicEvent)
def test_submit_writes_a_file_that_validates(athlete: Path, tito, event: OlympicEvent) -> None:
    submitted = tito("submit", "--event", event, "--athlete", "Ada")
    validated = tito("validate", "submission.json")

    assert (submitted.code, validated.code) == (0, 0)


def test_submit_to_stdout_prints_the_submission_alone(athlete: Path, tito) -> None:
    done = tito("submit", "--event", "all_around", "-o", "-")

    assert done.json["declaration"]["event"] == "all_around"
    assert "sha256" not in done.err


def test_submit_takes_the_name_from_git_or_is_anonymous(athlete: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    done = tito("submit", "--event", "all_around", "-o", "-")

    assert done.json["declaration"]["athlete"]["name"] == "anonymous"
    assert "--athlete" in done.err


def test_submit_takes_ids_and_teams(athlete: Path, tito) -> None:
    """An id belongs to the name in its place; one that is missing is said before anything is packed."""
    team = ("--athlete", "Ada", "--id", "17", "--athlete", "Bob", "--id", "23")
    declared = tito("submit", "--event", "all_around", *team, "-o", "-").json["declaration"]["athlete"]
    wrong = tito("submit", "--event", "all_around", *team[:-2])

    assert (declared["name"], declared["id"]) == ("Ada, Bob", None)
    assert declared["members"] == [{"name": "Ada", "id": "17"}, {"name": "Bob", "id": "23"}]
    assert (wrong.code, "1 ids for 2 names" in wrong.err) == (2, True)


def test_submit_writes_nothing_that_is_not_valid(athlete: Path, tito) -> None:
    run = json.loads((athlete / "run.json").read_text())
    run["run"] |= {"id": "20260101T000000Z-00000000"}  # another one, which this workspace does not know
    run["run"]["optimized"]["metrics"]["accuracy"] = {"mean": 0.5}
    (athlete / "bad.json").write_text(json.dumps(run))
    done = tito("submit", "--event", "latency_sprint", "--run", "bad.json", "-o", "never.json")

    assert (done.code, (athlete / "never.json").exists()) == (1, False)


def test_submit_without_an_event_names_the_five(athlete: Path, tito) -> None:
    done = tito("submit")

    assert done.code == 2
    assert all(event in done.err for event in OlympicEvent)


def test_validate_goes_on_after_a_bad_file(athlete: Path, tito) -> None:
    tito("submit", "--event", "all_around")
    done = tito("validate", "missing.json", "submission.json", "--json")

    assert (done.code, [result["valid"] for result in done.json["results"]]) == (1, [False, True])


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1, "a": 2}'])
def test_a_hostile_file_is_a_finding(beginner: Path, tito, content: bytes) -> None:
    (beginner / "hostile.json").write_bytes(content)
    done = tito("validate", "hostile.json", "--json")

    assert (done.code, done.json["results"][0]["valid"]) == (1, False)


def test_a_changed_submission_is_found(athlete: Path, tito) -> None:
    tito("submit", "--event", "all_around")
    document = json.loads((athlete / "submission.json").read_text())
    document["declaration"]["athlete"]["name"] = "Mallory"
    (athlete / "submission.json").write_text(json.dumps(document))

    assert tito("validate", "submission.json").code == 1


def test_hostile_names_do_not_reach_the_screen(athlete: Path, tito) -> None:
    (athlete / "evil.json").write_text(json.dumps({"schema_version": "1.0", "\x1b[31m\u202e": 1}))
    done = tito("validate", "evil.json")

    assert "\x1b[31m" not in done.out
    assert "\u202e" not in done.out


def test_status_of_a_beginner_says_what_to_type(beginner: Path, tito) -> None:
    assert tito("status", "--json").json["next"] == "tito olympics benchmark"


def test_status_shows_five_stages_and_the_last_run(athlete: Path, tito) -> None:
    document = tito("status", "--json").json

    assert [stage["stage"] for stage in document["stages"]] == [
        "events", "baseline", "optimized", "scores", "submission",
    ]  # fmt: skip
    assert document["last_run"]["id"] == json.loads((athlete / "run.json").read_text())["run"]["id"]


def test_status_counts_the_events_of_the_rules(beginner: Path, tito) -> None:
    assert tito("status", "--json").json["stages"][0]["detail"] == f"{len(OlympicEvent)} events"


def test_status_notices_a_submission_that_was_changed(athlete: Path, tito) -> None:
    tito("submit", "--event", "all_around")
    with (athlete / "submission.json").open("a") as file:
        file.write(" ")

    assert tito("status", "--json").json["submissions"][0]["file_state"] == "changed since"


def test_every_table_fits_eighty_columns(athlete: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    tito("submit", "--event", "all_around")
    for command in (["score"], ["validate", "submission.json"], ["status"]):
        assert max(len(line.rstrip()) for line in tito(*command).out.splitlines()) <= 80


@pytest.mark.parametrize(
    ("command", "words"), [("benchmark", "fashion_mlp"), ("score", "the last run"), ("submit", "user.name")]
)
def test_help_tells_the_defaults(tito, monkeypatch: pytest.MonkeyPatch, command: str, words: str) -> None:
    monkeypatch.setenv("COLUMNS", "120")

    assert f"default: {words}" in tito(command, "--help").out.replace("git's ", "")


def test_doubts_about_the_machine_stand_below_the_table(athlete: Path) -> None:
    doubt = Doubt(code="busy", evidence="other programs used 1.00 of 2 cores", advice="close other programs")
    run = parse_run("run.json", (athlete / "run.json").read_bytes())
    doubtful = run.model_copy(update={"protocol": run.protocol.model_copy(update={"doubts": [doubt]})})
    console = Console(width=80, file=io.StringIO())
    console.print(render.result(doubtful, "all_around"))

    assert "doubt: other programs used 1.00 of 2 cores -> close other programs" in console.file.getvalue()


def test_an_own_layer_in_the_closed_division_is_told_at_once(
    beginner: Path, tito, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    own = run.optimized.model_copy(update={"layer_kinds": ["Linear (own)"]})
    changed = run.model_copy(update={"optimized": own})
    monkeypatch.setattr(measuring, "measure", lambda place, asked: changed)
    Path("run.json").write_text(RunFile.text(changed))

    for done in (tito("benchmark"), tito("score", "run.json")):
        assert "warning: closed division: layer kinds changed from" in done.err
        assert "Linear (own)" in done.err


SEEDS = [(True, "seed 7 (chosen)"), (False, "seed 7 (drawn)"), (None, "seed 7;")]


@pytest.mark.parametrize(("is_chosen", "words"), SEEDS)
def test_a_run_says_whether_its_seed_was_chosen(athlete: Path, is_chosen: bool | None, words: str) -> None:
    run = parse_run("run.json", (athlete / "run.json").read_bytes())
    protocol = run.protocol.model_copy(update={"seed": 7, "is_seed_chosen": is_chosen})
    console = Console(width=200, file=io.StringIO())
    console.print(render.result(run.model_copy(update={"protocol": protocol}), "all_around"))

    assert words in console.file.getvalue()


@pytest.mark.parametrize(("share_of_p", "words"), [(2.0, "x faster, "), (0.5, "speed not shown to differ")])
def test_what_a_run_means_is_said_by_the_rules(
    beginner: Path, tito, monkeypatch: pytest.MonkeyPatch, share_of_p: float, words: str
) -> None:
    """By an alpha above and below the p-value of its speedup."""
    run = known_run(typical_ns=960_000)
    p_value = compared(run).speedup.p_value
    shipped = load_rules().version
    Path("ours.toml").write_text(
        f'extends = "{shipped}"\nversion = "class"\n[significance]\nalpha = {share_of_p * p_value}'
    )
    monkeypatch.setattr(measuring, "measure", lambda place, asked: run)

    assert words in tito("benchmark", "--rules", "ours.toml").out


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("strategy", "next: tito olympics init --task digits_mlp"),
        ("entry", "next: tito olympics submit --event all_around"),
    ],
)
def test_the_next_command_is_an_entry_of_one_s_own_or_to_hand_it_in(
    beginner: Path, tito, monkeypatch: pytest.MonkeyPatch, kind: str, words: str
) -> None:
    run = known_run()
    measured = run.model_copy(update={"source": run.source.model_copy(update={"kind": kind})})
    monkeypatch.setattr(measuring, "measure", lambda place, asked: measured)

    assert words in tito("benchmark").err


def test_a_run_teaches_what_this_machine_can_do_and_is_told_what_it_could(athlete: Path, cache_directory: Path) -> None:
    """The first one knows of nothing; what the cache knows then is of this machine and baseline, and of this hour."""
    run = parse_run("run.json", (athlete / "run.json").read_bytes())
    quiet = quiet_times(run)
    known = MachineFile(cache_directory).read().of(quiet.key)

    assert quiet.hour in [hour.began_at for hour in known.hours]
    assert with_what_is_known(run, MachineFile(cache_directory).read()).protocol.reference.key == quiet.key


EXPECTED = {
    "better and it is": ("better", lambda run: run, 0),
    "better and it is worse": ("better", lambda run: swapped(run), 1),
    "no worse and it is worse": ("no-worse", lambda run: swapped(run), 1),
    "no worse and it is better": ("no-worse", lambda run: run, 0),
    "better and nothing was measured": ("better", lambda run: untimed(run), 5),
}


def swapped(run: Run) -> Run:
    return run.model_copy(update={"baseline": run.optimized, "optimized": run.baseline})


def untimed(run: Run) -> Run:
    metrics = run.optimized.metrics.model_copy(update={"latency": None})
    return run.model_copy(update={"optimized": run.optimized.model_copy(update={"metrics": metrics})})


@pytest.mark.parametrize(("expected", "change", "code"), EXPECTED.values(), ids=EXPECTED.keys())
def test_an_expectation_has_its_exit_code(
    athlete: Path, tito, monkeypatch: pytest.MonkeyPatch, expected: str, change, code: int
) -> None:
    run = change(parse_run("run.json", (athlete / "run.json").read_bytes()))
    monkeypatch.setattr("tito.olympics.measuring.measure", lambda place, asked: run)
    done = tito("benchmark", "--event", "latency_sprint", "--expect", expected)

    assert done.code == code
    assert f"expected {expected}: " in done.err


def test_what_a_file_says_of_itself_is_made_safe_before_it_is_told(athlete: Path, tito) -> None:
    run = json.loads((athlete / "run.json").read_text())
    run["run"] |= {"id": "20260101T000000Z-00000000"}
    run["run"]["source"]["name"] = "\x1b[31mred"
    (athlete / "evil.json").write_text(json.dumps(run))
    (athlete / "old.json").write_text(
        json.dumps({"document": "submission", "schema_version": "3.0", "tool": {}, "declaration": {"event": "\x1b[2J"}})
    )
    done = tito("submit", "--event", "all_around", "--run", "evil.json", "-o", "old.json")

    assert "\\x1b[31mred" in done.err
    assert "\x1b" not in done.err + done.out


def test_the_spread_of_block_pairs_is_drawn_on_demand(athlete: Path) -> None:
    run = parse_run("run.json", (athlete / "run.json").read_bytes())
    console = Console(width=80, record=True)
    console.print(block_plot(run))
    drawn = console.export_text().splitlines()

    assert "block pairs, by the speedup that each shows" in drawn[0]
    assert len(drawn) == 3 + ROWS
    assert sum(map(int, re.findall(r"\d+", drawn[-1]))) > 0
