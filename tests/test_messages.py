"""Every error that the source can raise says what a person can do about it."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name

import pytest
import typer
from typer.main import get_command

from tinytorch import errors
from tinytorch.errors import TinyTorchError
from tinytorch.processes.failure import WorkerFailedError
from tito.commands import GROUPS, every_command

ROOT = Path(__file__).parents[1]
TREE = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, TinyTorchError)}
SAYS_WHAT_IS_NEEDED = re.compile(r"\b(needs?|must|at most|at least|cannot|which event)\b")


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


HINT = re.compile(r"\btito ([a-z]+)(?: ([a-z]+))?([^`\"\n;|&)]*)")
PROSE = {"did", "has", "itself", "keeps", "on", "writes", "import"}  # what tito does, in words
SHOWN = sorted(
    path for folder in ("tinytorch", "tito", "docs", "notebooks", "bin") for kind in (".py", ".md", ".ipynb", ".sh")
    for path in (ROOT / folder).rglob(f"*{kind}")
)  # fmt: skip


def hints() -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Every command that a text names: its place, its words, and what follows on the line."""
    for path in (*SHOWN, ROOT / "README.md"):
        for words, rest in hints_in(path.read_text("utf-8")):
            yield f"{path.relative_to(ROOT)}: {' '.join(words)}{rest}", words, rest


def hints_in(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The commands in a text, each with what follows on the line."""
    for first, second, rest in HINT.findall(text):
        if first not in PROSE:
            words = (first, second) if second and first in GROUPS else (first,)
            third = (*words, *rest.split()[:1])
            yield (third if third in every_command() else words), rest


def test_the_walk_finds_the_hints() -> None:
    assert len(list(hints())) > 120


KNOWN = {*every_command(), *((group,) for group in GROUPS)}


@pytest.mark.parametrize("text", ["next: tito module begin 3", "type tito login first", "`tito benchmark`"])
def test_a_command_that_does_not_exist_is_seen(text: str) -> None:
    ((words, _),) = hints_in(text)

    assert words not in KNOWN


def test_every_command_that_a_text_names_exists() -> None:
    assert [place for place, words, _ in hints() if words not in KNOWN] == []


def test_every_option_of_a_command_that_a_text_names_exists() -> None:
    options = {words: options_of(words) for words in every_command()}
    wrong = [
        (place, option)
        for place, words, rest in hints() if words in options
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", rest) if option not in options[words]
    ]  # fmt: skip

    assert wrong == []


def options_of(words: tuple[str, ...]) -> set[str]:
    """The options of a command, and those that go anywhere."""
    made = get_command(_typer_of(words))
    return {"--help", "--debug", *itertools.chain.from_iterable(parameter.opts for parameter in made.params)}


def _typer_of(words: tuple[str, ...]) -> typer.Typer:
    app = typer.Typer()
    app.command()(resolve_name(every_command()[words].address))
    return app
