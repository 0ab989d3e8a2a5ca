"""The public face of module 20."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tinytorch.competition

PUBLIC = ["OlympicEvent", "calculate_normalized_scores", "generate_submission", "validate_submission"]


def test_the_public_names_are_listed_and_there() -> None:
    """Four names, each of them loadable."""
    assert sorted(tinytorch.competition.__all__) == PUBLIC == dir(tinytorch.competition)
    assert all(getattr(tinytorch.competition, name) for name in PUBLIC)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Lazy loading keeps Python's own error."""
    with pytest.raises(AttributeError, match="no attribute 'leaderbord'"):
        _ = tinytorch.competition.leaderbord


def test_judging_loads_no_model_and_no_framework() -> None:
    """Validation can be trusted with any file: neither numpy-backed models nor workers are imported."""
    code = (
        "import sys, tinytorch.competition.checks.validation; "
        "print(*sorted(m for m in sys.modules if 'tinytorch.' in m))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    floors = {name.removeprefix("tinytorch.") for name in result.stdout.split()}

    assert {name for name in floors if not name.startswith("competition")} == {
        "benchmarking", "benchmarking.bits", "benchmarking.comparison", "benchmarking.records",
        *(f"benchmarking.records.{name}" for name in (
            "latency", "metric", "metrics", "outside", "record", "samples", "session", "work")),
        "benchmarking.statistics", "_legacy", "doors", "errors", "foreign", "marks", "files", "owners", "showing",
        "units",
    }  # fmt: skip
