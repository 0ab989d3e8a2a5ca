"""Every error that the source can raise says what a person can do about it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinytorch import errors
from tinytorch.errors import TinyTorchError
from tinytorch.processes.worker import WorkerFailedError
from tito.commands import every_command

ROOT = Path(__file__).parents[1]
TREE = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, TinyTorchError)}
SAYS_WHAT_IS_NEEDED = re.compile(r"\b(needs?|must|at most|at least|cannot|which event)\b")
SHOWN_TO_PEOPLE = re.compile(r"\btito((?: [a-z]+)+)")


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Every call that makes an error of the tree, with its place."""
    for folder in ("tinytorch", "tito"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TREE:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_the_walk_finds_the_errors() -> None:
    assert len(list(raised())) > 120


def test_every_error_has_a_mend_or_says_what_is_needed() -> None:
    silent = [
        place for place, call in raised()
        if not any(word.arg == "mend" for word in call.keywords) and not SAYS_WHAT_IS_NEEDED.search(ast.unparse(call))
    ]  # fmt: skip

    assert silent == []


@pytest.mark.parametrize("outcome", ["raised", "timed out", "died", "broke the protocol"])
def test_every_failure_of_a_worker_has_a_mend(outcome: str) -> None:
    assert WorkerFailedError(outcome, "x").mend


def test_a_command_that_a_message_names_exists() -> None:
    known = every_command()
    groups = {words[:1] for words in known if len(words) > 1}
    texts = "".join(
        path.read_text("utf-8") for folder in ("tinytorch", "tito") for path in (ROOT / folder).rglob("*.py")
    )
    named = [tuple(found.split()) for found in SHOWN_TO_PEOPLE.findall(texts)]

    assert [words for words in named if words[:1] in groups and words[1:] and words[:2] not in known] == []
