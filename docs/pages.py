"""The pages of the documentation that are made from the source: words.md and api.md. A test says when they are old.

python docs/pages.py
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import EnumType
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tito.olympics.explain import words

FOLDER = Path(__file__).parent
MODULES = (
    "tinytorch", "tinytorch.perf.profiling", "tinytorch.perf.quantization", "tinytorch.perf.compression",
    "tinytorch.perf.memoization", "tinytorch.perf.acceleration", "tinytorch.benchmarking", "tinytorch.competition",
)  # fmt: skip


def words_page() -> str:
    """Every word in two sentences, by groups."""
    return "\n".join(_words_lines()) + "\n"


def _words_lines() -> Iterator[str]:
    yield from (
        "# Words", "",
        "Each in two sentences, with an example from a run. On the terminal: `tito olympics explain WORD`. Made from",
        "`tito/olympics/words.toml` by `python docs/pages.py`.",
    )  # fmt: skip
    group = ""
    for word in words():
        if word.group != group:
            group = word.group
            yield from ("", f"## {group}")
        yield from ("", f"**{word.name}.** {word.says} [More]({word.page}).", "", f"> {word.example}")


def api_page() -> str:
    """Every public name with its call and the first paragraph of its docstring, by modules."""
    return "\n".join(_api_lines()) + "\n"


def _api_lines() -> Iterator[str]:
    yield from (
        "# The library's public names", "",
        "What `from MODULE import NAME` gives, each with its call and what it does. Made from the docstrings by",
        "`python docs/pages.py`; the source beside each name says more.",
    )  # fmt: skip
    for name in MODULES:
        module = import_module(name)
        yield from ("", f"## {name}", "", _first_paragraph(module))
        for public in public_names(module):
            yield from ("", *_described(public, getattr(module, public)))


def public_names(module: ModuleType) -> list[str]:
    """What the module says is public; else what it defines itself without an underscore."""
    listed = getattr(module, "__all__", None)
    own = (name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__)
    return sorted(listed if listed is not None else (name for name in own if not name.startswith("_")), key=str.lower)


def _described(name: str, value: object) -> Iterator[str]:
    yield f"### {name}"
    if isinstance(value, EnumType):
        yield from ("", f"{_first_paragraph(value)} {', '.join(f'`{name}`' for name in value.__members__)}.")
        return
    if not inspect.isclass(value) and not inspect.isfunction(value):
        what = f"A value of type `{type(value).__name__}`."
        yield from ("", f"A module. {_first_paragraph(value)}" if inspect.ismodule(value) else what)
        return
    yield from ("", f"`{name}{_call(value)}`: {_first_paragraph(value)}")
    if inspect.isclass(value):
        yield from _methods(value)


def _methods(kind: type) -> Iterator[str]:
    """What the class itself can do: its public functions and properties, each with its call."""
    own = [(name, value) for name, value in vars(kind).items() if not name.startswith("_") and name != "forward"]
    lines = []
    for name, value in own:
        function = getattr(value, "__func__", value)  # of a class method
        if inspect.isfunction(function) and function.__doc__:
            lines.append(f"- `.{name}{_call(function)}`: {_first_paragraph(function)}")
        elif isinstance(value, property) and value.__doc__:
            lines.append(f"- `.{name}`: {_first_paragraph(value)}")
    if lines:
        yield from ("", *lines)


def _call(value: Callable[..., object]) -> str:
    """How it is called, without types; three dots where Python cannot say it."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return "(...)"
    given = [each for name, each in found.parameters.items() if name not in ("self", "cls")]
    bare = [each.replace(annotation=inspect.Parameter.empty, default=_readable(each.default)) for each in given]
    return str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def _readable(default: object) -> object:
    """A default value as it is, or a function by its name."""
    is_said = default is inspect.Parameter.empty or "<" not in repr(default)
    return default if is_said else _Name(getattr(default, "__name__", "..."))


class _Name(str):
    """A text that is written without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _first_paragraph(value: object) -> str:
    """The beginning of its own docstring, on one line."""
    text = inspect.getdoc(value) if not inspect.isclass(value) else value.__doc__ and inspect.cleandoc(value.__doc__)
    return " ".join((text or "").partition("\n\n")[0].split())


PAGES = {"words.md": words_page, "api.md": api_page}

if __name__ == "__main__":
    for file, make in PAGES.items():
        (FOLDER / file).write_text(make(), "utf-8")
