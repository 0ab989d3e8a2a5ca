"""The five events and their rules, which are data: `rules.toml`, loaded once. Light: no numpy, no scipy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from tinytorch.benchmarking.records.record import Fraction, Hours, Record, Text
from tinytorch.competition.names import DIVISIONS, EVENT_NAME, RULES_FILE, Division, OlympicEvent
from tinytorch.competition.rules.quantities import checked_quantity
from tinytorch.competition.rules.toml import read_toml
from tinytorch.errors import UsageError
from tinytorch.files import read_regular, reason, sha256
from tinytorch.showing import safe_text
from tinytorch.units import LimitName

FORMER_RULES = {  # 1.0 and 1.1 count alike
    "1.0": "rules-1.1.toml", "1.1": "rules-1.1.toml", "2.0": "rules-2.0.toml", "2.1": "rules-2.1.toml",
    "2.2": "rules-2.2.toml",
}  # fmt: skip
SEE_TOML = "docs/judging.md shows a rules file"
SEE_RULES = "tito olympics rules --json shows the shipped ones"
LARGEST_RULES_BYTES = 1_000_000
LEAST_ALPHA = 1e-6  # a handful of processes shows no less

Operator = Literal[">=", "<"]
Ranked = Literal["speedup", "compression_ratio", "accuracy", "all_around", "extreme_push", "less_work"]
EventName = Annotated[str, StringConstraints(pattern=EVENT_NAME)]
Limit = Annotated[float, Field(gt=0)]


class Constraint(Record):
    """What a metric of the optimized model must satisfy.

    Latency in ms, memory in MB, accuracy as a fraction, throughput in samples/s; floating-point operations and bytes
    that are moved of one inference, counted.
    """

    metric: LimitName
    operator: Operator
    limit: Limit

    def allows(self, value: float) -> bool:
        """Whether `value` satisfies the constraint."""
        return value >= self.limit if self.operator == ">=" else value < self.limit


class ConstraintResult(Record):
    """A constraint and the value it met; `satisfied` is None when the metric was not measured."""

    metric: LimitName
    operator: Operator
    limit: Limit
    value: float | None
    satisfied: bool | None


class EventRules(Record):
    """What one event asks for and by which score it ranks."""

    title: str
    objective: str
    constraints: list[Constraint]
    ranked_by: Ranked

    @model_validator(mode="after")
    def _has_each_limit_once(self) -> Self:
        kinds = [(constraint.metric, constraint.operator) for constraint in self.constraints]
        twice = [" ".join(kind) for kind in kinds if kinds.count(kind) > 1]
        if twice:
            raise ValueError(f"two limits of one kind, {twice[0]}: the weaker has no effect")
        return self


class Significance(Record):
    """When a difference counts as one."""

    alpha: Annotated[float, Field(ge=LEAST_ALPHA, lt=1)]
    session_spread: Annotated[float, Field(gt=0, lt=1)]
    typical_excess: Annotated[float, Field(gt=1)]


class Scoring(Record):
    """What accuracy is worth: by points, or as up to rules 1.1 by the ratio of errors. It has the constant of one."""

    points_per_doubling: Annotated[float, Field(ge=0.5)] | None = None
    error_ratio_smoothing: Limit | None = None

    @model_validator(mode="after")
    def _has_one_formula(self) -> Self:
        if (self.points_per_doubling is None) == (self.error_ratio_smoothing is None):
            raise ValueError("it needs points_per_doubling, or error_ratio_smoothing as in older rules, and not both")
        return self


class Floor(Record):
    """How far a baseline's time may lie above this machine's best while that is not known, or not from hours enough."""

    no_reference: Limit
    young_reference: Limit


class Disturbing(Record):
    """How far a busy machine may move a speedup: what is taken for it until the machine is known.

    A reference is young with times of fewer than `reference_hours` clock hours. `floors` are by the task's name.
    """

    reference_hours: Hours
    other_tasks: Floor
    floors: dict[Text, Floor] = Field(default_factory=dict)


class Plausibility(Record):
    """Limits beyond which a submission is flagged."""

    clock_ticks: Annotated[int, Field(gt=0)]
    timer_overheads: Limit
    hardware_margin: Annotated[float, Field(ge=1)]
    ratio_disagreement: Annotated[float, Field(gt=1)]
    scaled_copy_tolerance_ns: Limit
    repeated_window_chance: Annotated[float, Field(gt=0, lt=1)]
    fewest_units: Annotated[int, Field(gt=0)]
    fewest_test_samples: Annotated[int, Field(gt=0)]
    baseline_accuracy_tolerance: Annotated[float, Field(gt=0, lt=1)]
    fresh_accuracy_drop: Annotated[float, Field(gt=0, lt=1)] = 0.10
    fresh_accuracy_gain: Annotated[float, Field(gt=0, lt=1)] = 0.01
    fresh_accuracy_chance: Annotated[float, Field(gt=0, lt=1)] = 0.001
    kept_share: Annotated[float, Field(gt=0, le=1)]
    artifact_overhead_bytes: Annotated[int, Field(ge=0)]
    dense_layers: list[str]


class Verifying(Record):
    """What an entry that is built and measured again may differ by from what was claimed of it."""

    machine_spread: Annotated[float, Field(gt=0, lt=1)] = 0.03
    claim_excess: Annotated[float, Field(gt=1)] = 1.5
    accuracy_chance: Annotated[float, Field(gt=0, lt=1)] = 0.001


class Refereeing(Record):
    """What an entry may show that a referee times from outside, and asks what nobody has seen."""

    least_latency_us: Annotated[float, Field(ge=0)] = 5.0
    most_asking_share: Annotated[float, Field(gt=0, lt=1)] = 0.10
    clocks_differ: Annotated[float, Field(gt=0)] = 0.15
    clocks_far: Annotated[float, Field(gt=0)] = 0.50
    least_pool: Annotated[int, Field(gt=0)] = 16
    least_distinct: Fraction = 0.90
    private_drop: Fraction = 0.05
    distorted_drop: Fraction = 0.08
    redrawn_drop: Fraction = 0.05
    redrawn_speedup: Annotated[float, Field(gt=1)] = 1.25
    idle_share: Fraction = 0.20
    unasked_share: Fraction = 0.05
    memory_factor: Annotated[float, Field(ge=1)] = 2.0
    memory_extra_mb: Annotated[float, Field(ge=0)] = 20.0


class DivisionRules(Record):
    """What a division asks of an entry's architecture and answers."""

    keeps_layer_kinds: bool
    flags_accuracy_gain: bool


class Rules(Record):
    """One version of the rules; `sha256` is the digest of the file they came from.

    `reference_accuracy` is a constant of each task, by its name, and not what a baseline showed on some machine. Rules
    without `disturbance` take every machine for a quiet one, as up to 2.0. `checks` has limits of checks that packages
    add, by the names of both.
    """

    version: str
    sha256: str
    significance: Significance
    disturbance: Disturbing | None = None
    scoring: Scoring
    plausibility: Plausibility
    verifying: Verifying = Field(default_factory=Verifying)
    refereeing: Refereeing = Field(default_factory=Refereeing)
    checks: dict[Text, dict[Text, float]] = Field(default_factory=dict)
    reference_accuracy: dict[Text, Annotated[float, Field(ge=0.01, le=1)]] = Field(default_factory=dict)
    divisions: dict[Division, DivisionRules]
    events: dict[EventName, EventRules]

    @model_validator(mode="after")
    def _covers_every_event_and_division(self) -> Self:
        missing = [event.value for event in OlympicEvent if event not in self.events]
        missing += [division for division in DIVISIONS if division not in self.divisions]
        if missing:
            raise ValueError(f"no rules for {', '.join(missing)}")
        return self


def parse_rules(content: bytes) -> Rules:
    """Rules from the bytes of a rules file; UsageError names the first thing that is wrong with it.

    A file that `extends` the shipped rules, by their version, says only what is different; what it repeats has no
    effect, and is refused. Its digest is of both.
    """
    document = _document(content)
    shipped = RULES_FILE.read_bytes()
    if "extends" not in document:
        return _validated({**document, "sha256": sha256(content)})
    known = _document(shipped)
    extended, own = document.pop("extends"), {key: value for key, value in document.items() if key != "version"}
    if extended != known["version"]:
        raise UsageError(
            f"rules file: it extends {safe_text(str(extended), 40)!r}, and the shipped rules are {known['version']}",
            mend=f'look through what has changed, then write: extends = "{known["version"]}"',
        )
    if document.get("version") in (None, known["version"]):
        raise UsageError("rules file: version must be a name of its own", mend='write: version = "my class, 2026"')
    _check_effect(own, known, "")
    merged = _merged(known, document)
    return _validated({**merged, "sha256": sha256(shipped + content)})


def read_rules(path: Path | None) -> Rules:
    """The rules in a file, or a version that was shipped before; the shipped ones without any.

    UsageError when the file cannot be read or is wrong.
    """
    if path is None:
        return load_rules()
    former = None if path.exists() else former_rules(str(path))
    if former and former.version == str(path):
        return former
    try:
        return parse_rules(read_regular(path, LARGEST_RULES_BYTES, may_lead_out=True))
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", mend=error.mend) from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}", mend="give a rules file that you can read") from error


def _document(content: bytes) -> dict[str, Any]:
    try:
        return read_toml(content)
    except ValueError as error:
        raise UsageError(f"rules file: {error}", mend=SEE_TOML) from error


def _validated(document: Mapping[str, Any]) -> Rules:
    try:
        return Rules.model_validate_json(json.dumps(document))
    except ValidationError as error:
        first = error.errors()[0]
        place = safe_text(".".join(map(str, first["loc"])))
        raise UsageError(f"rules file: {place}: {first['msg']}", mend=SEE_RULES) from error
    except TypeError as error:
        raise UsageError(f"rules file: {safe_text(str(error))}", mend=SEE_RULES) from error


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The base with what is different; tables are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in own.items():
        inner = base.get(key)
        merged[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _check_effect(own: Mapping[str, Any], known: Mapping[str, Any], place: str) -> None:
    """UsageError for a rule that is what it was already."""
    for key, value in own.items():
        named, before = f"{place}{key}", known.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            _check_effect(value, before, f"{named}.")
        elif key in known and value == before:
            raise UsageError(
                f"rules file: {safe_text(named)} has no effect: it is so in the shipped rules", mend="leave it out"
            )


@cache
def load_rules() -> Rules:
    """The rules that ship with TinyTorch."""
    return parse_rules(RULES_FILE.read_bytes())


@cache
def former_rules(version: str) -> Rules | None:
    """The rules that were shipped before, and count scores as `version` did; None for any others."""
    known = FORMER_RULES.get(version)
    return None if known is None else parse_rules(RULES_FILE.with_name(known).read_bytes())


def shipped_rules(version: str) -> Rules | None:
    """The rules that were or are shipped, and count scores as `version` does; None for those of a class."""
    today = load_rules()
    return today if version == today.version else former_rules(version)


def check_constraints(
    event: str, metrics: Mapping[str, float | None], rules: Rules | None = None
) -> list[ConstraintResult]:
    """What `event` demands of a model with these `metrics` (see `Constraint`), one result for each constraint."""
    demands = (rules or load_rules()).events[event].constraints
    return [_check(constraint, metrics.get(constraint.metric)) for constraint in demands]


def _check(constraint: Constraint, value: float | None) -> ConstraintResult:
    number = None if value is None else checked_quantity(constraint.metric, value)
    satisfied = None if number is None else constraint.allows(number)
    return ConstraintResult(**constraint.model_dump(), value=number, satisfied=satisfied)
