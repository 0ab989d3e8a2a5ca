"""The competition (module 20): events, scores, submissions, checks. Each name is loaded when first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.competition.checks.validation import validate_submission
    from tinytorch.competition.names import OlympicEvent
    from tinytorch.competition.scoring.packaging import generate_submission
    from tinytorch.competition.scoring.scores import calculate_normalized_scores

__all__ = ["OlympicEvent", "calculate_normalized_scores", "generate_submission", "validate_submission"]

_HOMES = {
    "OlympicEvent": "names",
    "calculate_normalized_scores": "scoring.scores",
    "generate_submission": "scoring.packaging",
    "validate_submission": "checks.validation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
