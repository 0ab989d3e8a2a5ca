"""Older forms of `submission.json` and of run files made into today's, one step per version; newer ones are refused.

1.0   the first
2.0   latency is the quiet time, compared by processes or sessions; adds the typical time, what a run measured of its
      machine, and the accuracy that its task expects of the baseline. Times taken before cannot be compared with it.
2.1   adds what the count of memory could not see, and the digests of an entry's helpers; a model may keep 0 bytes
2.2   adds the commit that a submission was packaged at
3.0   a declaration, the recorded run as it is, and what is derived; samples as text, times in nanoseconds; names what
      wrote it, the versions of scipy and numba, and what runs each model
3.1   names what accuracy is worth the accuracy factor, whatever the formula of the rules; the accuracy that a task
      expects of its baseline is a rule, and no longer what a run says; adds the answers to inputs made after the models
3.2   memory counts the artifact and an entry's own code, too; adds whether the seed was chosen, and how many timed
      answers were compared. What was counted before stays as it was counted: it has no `code_bytes`.
3.3   adds the yardstick's times, the machine's reference times and card, how far a speedup may have been moved, and
      which version of the tool measured
3.4   adds the members of a team
3.5   adds the data files that an entry names, and what comes along in a bundle
3.6   adds what an inference of each model does, and what the machine showed at best
3.7   adds the track, events of a class's own, and limits of throughput and of counted work
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Set
from typing import Any

from tinytorch.benchmarking.records.samples import write_block, write_samples
from tinytorch.competition.names import OlympicEvent
from tinytorch.competition.record.document import DISTRIBUTION, SCHEMA_VERSION
from tinytorch.competition.record.reading import OURS, RefusedError
from tinytorch.foreign import FIELDS_OF_OURS
from tinytorch.showing import safe_text
from tinytorch.units import NANOSECONDS_PER_MILLISECOND

Document = dict[str, Any]

LATENCY_FIGURES = ("mean", "typical", "std", "ci_lower", "ci_upper", "p50", "p90", "p99")
FORMER_HEAD = {"schema_version": "3.0", "tool": {"name": DISTRIBUTION, "version": None}}
DECLARED = {"event": "event", "division": "division", "github_repo": "repository", "techniques": "techniques",
            "created_at": "created_at", "rules": "rules", "provenance": "provenance"}  # fmt: skip
MEASURED = ("id", "task", "source", "system_info", "protocol", "baseline", "optimized")
NEW_KEYS = {"document", "tool", "declaration", "run", "derived"}  # what 3.0 has, and what no older file may bring along
NEW_INSIDE = {
    "source": {"division", "techniques"}, "system_info": {"scipy", "numba"}, "baseline": {"backend"},
    "optimized": {"backend"},
}  # fmt: skip
RUNS_OF_THEIR_OWN = (
    "3.0",
    "3.1",
    "3.2",
    "3.3",
    "3.4",
    "3.5",
    "3.6",
)  # older forms in which a run is a document like a submission
DERIVED = {"normalized_scores": "scores", "statistics": "statistics", "constraints": "constraints", "trust": "trust"}


def _from_1_0(document: Document) -> Document:
    """Numbers given by hand stay what they were; measured times are refused, because the recipe is another one."""
    if '"samples_ns": [' in json.dumps(document):
        message = "its times were taken by the recipe of schema version 1.0, whose intervals were too narrow"
        raise RefusedError("schema_version", message, "measure again: tito olympics benchmark", found="1.0")
    return {**document, "schema_version": "2.0"}


def _from_2_0(document: Document) -> Document:
    """What 2.1 adds may be missing."""
    return {**document, "schema_version": "2.1"}


def _from_2_1(document: Document) -> Document:
    """What 2.2 adds may be missing."""
    return {**document, "schema_version": "2.2"}


def _from_2_2(document: Document) -> Document:
    """The same facts in their new places. What has no place stays at the top, where the schema will name it."""
    _refuse_new(document, NEW_KEYS, "the document")
    left = dict(document)
    del left["schema_version"]
    declaration = {new: left.pop(old) for old, new in DECLARED.items() if old in left}
    if "athlete_name" in left:
        declaration["athlete"] = {"name": left.pop("athlete_name")}
    run = _measured(left)
    derived = {new: left.pop(old) for old, new in DERIVED.items() if old in left}
    return {"document": "submission", **FORMER_HEAD, "declaration": declaration, "run": run, "derived": derived, **left}


def _from_3_0(document: Document) -> Document:
    """One score has another name, and the run says less of its task."""
    _refuse_new(_inside(document, "derived", "scores"), {"accuracy_factor"}, "derived.scores")
    for role in ("baseline", "optimized"):
        _refuse_new(_inside(document, "run", role), {"fresh_answers"}, f"run.{role}")
    scores = _renamed(_inside(document, "derived", "scores"), "error_ratio", "accuracy_factor")
    renamed = document if scores is None else {**document, "derived": {**document["derived"], "scores": scores}}
    return {**_without_expectation(renamed), "schema_version": "3.1"}


def _from_3_1(document: Document) -> Document:
    """What 3.2 adds may be missing."""
    _refuse_new(_inside(document, "run", "protocol"), {"is_seed_chosen", "answers_compared"}, "run.protocol")
    for role in ("baseline", "optimized"):
        place = ("run", role, "metrics", "memory")
        _refuse_new(_inside(document, *place), {"code_bytes"}, ".".join(place))
    return {**document, "schema_version": "3.2"}


def _from_3_2(document: Document) -> Document:
    """What 3.3 adds may be missing."""
    _refuse_new(_inside(document, "run", "protocol"), {"yardstick", "reference", "card"}, "run.protocol")
    _refuse_new(_inside(document, "run", "system_info"), {"tinytorch"}, "run.system_info")
    place = ("derived", "statistics", "speedup")
    _refuse_new(_inside(document, *place), {"disturbance"}, ".".join(place))
    return {**document, "schema_version": "3.3"}


def _from_3_3(document: Document) -> Document:
    """What 3.4 adds may be missing."""
    _refuse_new(_inside(document, "declaration", "athlete"), {"members"}, "declaration.athlete")
    return {**document, "schema_version": "3.4"}


def _from_3_4(document: Document) -> Document:
    """What 3.5 adds may be missing."""
    _refuse_new(_inside(document, "declaration"), {"files"}, "declaration")
    _refuse_new(_inside(document, "run", "source"), {"data"}, "run.source")
    return {**document, "schema_version": "3.5"}


def _from_3_5(document: Document) -> Document:
    """What 3.6 adds may be missing."""
    for role in ("baseline", "optimized"):
        _refuse_new(_inside(document, "run", role), {"work", "machine"}, f"run.{role}")
    return {**document, "schema_version": "3.6"}


def _from_3_6(document: Document) -> Document:
    """What 3.7 adds may be missing; until then there were five events, and limits of three metrics."""
    _refuse_new(_inside(document, "declaration"), {"track"}, "declaration")
    _refuse_new(_inside(document, "run", "source"), {"track"}, "run.source")
    event = _inside(document, "declaration", "event")
    if isinstance(event, str) and event not in tuple(OlympicEvent):
        raise RefusedError("schema", f"declaration.event: {safe_text(event, 60)} is no event of this version")
    return {**document, "schema_version": "3.7"}


def _without_expectation(document: Document) -> Document:
    """What a run of 3.0 said of its task, without the accuracy expected of the baseline."""
    task = _inside(document, "run", "task")
    if not isinstance(task, dict):
        return document
    left = {name: value for name, value in task.items() if name != "expected_accuracy"}
    return {**document, "run": {**document["run"], "task": left}}


def _inside(document: Document, *way: str) -> Any:
    """What stands there, None where the way ends before."""
    found: Any = document
    for name in way:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _renamed(record: Any, before: str, after: str) -> Document | None:
    """The record with another name for one of its fields, in the same place; None where there is none."""
    if not isinstance(record, dict):
        return None
    return {after if name == before else name: value for name, value in record.items()}


STEPS: dict[str, Callable[[Document], Document]] = {
    "1.0": _from_1_0, "2.0": _from_2_0, "2.1": _from_2_1, "2.2": _from_2_2, "3.0": _from_3_0,
    "3.1": _from_3_1, "3.2": _from_3_2, "3.3": _from_3_3, "3.4": _from_3_4, "3.5": _from_3_5,
    "3.6": _from_3_6,
}  # fmt: skip


def migrate(document: Document) -> tuple[Document, str]:
    """The submission in today's form, and its version in words; RefusedError names one that is not known here."""
    found = document.get("schema_version")
    current = document
    while isinstance(version := current.get("schema_version"), str) and version in STEPS:
        current = STEPS[version](current)
    if version != SCHEMA_VERSION:
        raise _refusal(found)
    known = f"schema version {found}"
    return current, known if found == SCHEMA_VERSION else f"{known}, read as {SCHEMA_VERSION}"


def migrated_run(document: Any) -> Any:
    """The document of a run file in today's form; RefusedError names a version that is not known here.

    What is no run file of an older form is left for the schema to refuse.
    """
    version = _version_of(document)
    if isinstance(document, dict) and not FIELDS_OF_OURS & document.keys():
        raise RefusedError("schema", "it has no field of ours")
    if isinstance(version, str) and version not in ("2.1", *RUNS_OF_THEIR_OWN, SCHEMA_VERSION):
        raise _refusal(version)
    if version == "2.1":
        document = _run_from_2_1(document)
    while _version_of(document) in RUNS_OF_THEIR_OWN:
        document = STEPS[document["schema_version"]](document)
    return document


def _run_from_2_1(document: Document) -> Document:
    """A run as its own document, which 2.1 knew as the first part of a submission."""
    _refuse_new(document, NEW_KEYS, "the document")
    left = dict(document)
    del left["schema_version"]
    left.pop("created_at", None)  # its id and the end of its protocol say it
    said = {name: left.pop(name) for name in ("division", "techniques") if name in left}
    run = _measured(left)
    if isinstance(run.get("source"), dict):
        run["source"] = {**run["source"], **said}
    return {"document": "run", **FORMER_HEAD, "run": run, **left}


def _version_of(document: Any) -> Any:
    """The version that a document states, whatever it is."""
    return document.get("schema_version") if isinstance(document, dict) else None


def _measured(left: Document) -> Document:
    """What was measured, taken out of the document of an older form."""
    run = {name: left.pop(name) for name in MEASURED if name in left}
    for name, new in NEW_INSIDE.items():
        _refuse_new(run.get(name), new, name)
    return {
        "id": None,
        **run,
        **{role: _model(run[role], f"run.{role}.metrics") for role in ("baseline", "optimized") if role in run},
    }


def _refuse_new(record: Any, new: Set[str], place: str) -> None:
    """RefusedError for a key that the stated version does not have: it would hide what stands there under another."""
    for name in sorted(new & record.keys()) if isinstance(record, dict) else ():
        raise RefusedError("schema", f"{place}: {name} is no field of this version")


def _model(model: Any, place: str) -> Any:
    """Times in nanoseconds and samples as text; whatever is none of ours is left for the schema to refuse."""
    metrics = model.get("metrics") if isinstance(model, dict) else None
    if not isinstance(metrics, dict):
        return model
    found = {
        "latency": _latency(metrics.get("latency"), f"{place}.latency"),
        "throughput": _throughput(metrics.get("throughput"), f"{place}.throughput"),
    }
    return {**model, "metrics": {**metrics, **{name: each for name, each in found.items() if each is not None}}}


def _latency(latency: Any, place: str) -> Any:
    if not isinstance(latency, dict):
        return latency
    _refuse_new(latency, {f"{name}_ns" for name in LATENCY_FIGURES}, place)
    left = {name: value for name, value in latency.items() if (name, value) != ("unit", "ms")}
    figures = {f"{name}_ns": _nanoseconds(left.pop(name)) for name in LATENCY_FIGURES if name in left}
    if left.get("samples_ns") is not None:
        left["samples_ns"] = _text_of(left["samples_ns"], write_samples, 3, place)
    return {**figures, **left}


def _throughput(throughput: Any, place: str) -> Any:
    if not isinstance(throughput, dict) or "samples_ns" not in throughput:
        return throughput
    return {**throughput, "samples_ns": _text_of(throughput["samples_ns"], write_block, 1, place)}


def _nanoseconds(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value * NANOSECONDS_PER_MILLISECOND if is_number else value


def _text_of(samples: Any, write: Callable[[Any], Any], depth: int, place: str) -> Any:
    """Samples as text; what they are none of, or are of unequal length, is refused."""
    if not _is_whole(samples, depth):
        raise RefusedError("schema", f"{place}.samples_ns: they are no lists of whole numbers")
    try:
        return write(samples)
    except ValueError as error:
        raise RefusedError("schema", f"{place}.samples_ns: {error}") from None


def _is_whole(samples: Any, depth: int) -> bool:
    if depth == 0:
        return type(samples) is int
    return isinstance(samples, list) and all(_is_whole(each, depth - 1) for each in samples)


def _refusal(version: object) -> RefusedError:
    known = ", ".join([*STEPS, SCHEMA_VERSION])
    if version is None:
        return RefusedError("schema_version", "this is no submission: no schema_version is named", OURS, known=known)
    shown = safe_text(str(version), 40)
    newer = isinstance(version, str) and _numbers(version) > _numbers(SCHEMA_VERSION)
    word = "is newer than this program" if newer else "is not known"
    return RefusedError(
        "schema_version", f"schema version {shown!r} {word}; known are {known}", found=shown, known=known
    )


def _numbers(version: str) -> list[int]:
    """`1.10` as [1, 10]; a text that is no version comes before every version."""
    return (
        [int(part) for part in version.split(".")]
        if re.fullmatch(r"\d{1,6}(\.\d{1,6}){1,3}", version, re.ASCII)
        else []
    )
