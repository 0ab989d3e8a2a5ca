"""The competition (module 20): events, scores, submissions, checks. Each name is loaded when first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.competition.names import OlympicEvent
    from tinytorch.competition.scores import calculate_normalized_scores
    from tinytorch.competition.submission import generate_submission
    from tinytorch.competition.validation import validate_submission

__all__ = ["OlympicEvent", "calculate_normalized_scores", "generate_submission", "validate_submission"]

_HOMES = {
    "OlympicEvent": "names",
    "calculate_normalized_scores": "scores",
    "generate_submission": "submission",
    "validate_submission": "validation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
