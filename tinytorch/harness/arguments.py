"""What an entry can be told: the defaults of its `optimize`, read and changed in its text, without running it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinytorch.errors import UsageError
from tinytorch.showing import nearest, safe_text

LARGEST = 2**63
GIVEN = 2  # the model and its training data, which every `optimize` is given
Value = bool | int | float | str | None


@dataclass(frozen=True)
class Argument:
    """One argument of `optimize` with its default, and where that stands in the text: first and last byte."""

    name: str
    default: Value
    start: int
    end: int

    def parsed(self, text: str) -> Value:
        """A value as somebody types it, of the default's type; UsageError for one of another."""
        value: Value = _literal(text)
        if isinstance(self.default, str):
            return text
        if isinstance(value, (int, float)) and not abs(value) < LARGEST:
            raise UsageError(f"{self.name}: {safe_text(text, 40)} is too large a number", mend="write a smaller one")
        if isinstance(self.default, float) and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type(value) is type(self.default) or (self.default is None and _is_value(value)):
            return value
        kind = type(self.default).__name__
        mend = (
            f"write --set {self.name}=True or {self.name}=False" if kind == "bool" else f"write --set {self.name}=VALUE"
        )
        message = f"{self.name} must be of type {kind}, as its default {self.default!r}, not {safe_text(text)}"
        raise UsageError(message, mend=mend)


def arguments_of(source: bytes, name: str) -> dict[str, Argument]:
    """The arguments of `optimize` that have a plain value as default, in order; UsageError without any."""
    if not _is_plain_utf8(source):
        raise UsageError(f"{name} is in another encoding than plain UTF-8", mend="save it as UTF-8, without a mark")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{name} is no Python: {error}", mend=f"python {name} says more") from error
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "optimize"]
    found = _defaults(functions[-1], source) if functions else {}
    if not found:
        mend = "write for example: def optimize(model, train_data, keep=128, bits=8): ..."
        raise UsageError(f"{name} has no optimize with arguments of its own that have defaults", mend=mend)
    return found


def _is_plain_utf8(source: bytes) -> bool:
    """Whether places in the text are what the parser says: it counts bytes of UTF-8."""
    try:
        return tokenize.detect_encoding(io.BytesIO(source).readline)[0] == "utf-8"
    except SyntaxError:
        return False


def assignment(text: str, known: Mapping[str, Argument], name: str) -> tuple[Argument, str]:
    """Which argument of an entry NAME=VALUE means, and what stands behind the sign; UsageError for none of them."""
    given, sign, value = (part.strip() for part in text.partition("="))
    if not sign or given not in known:
        mend = f"write NAME=VALUE with one of {', '.join(known)}"
        raise UsageError(
            f"--set {safe_text(text)}: optimize of {name} has no such argument with a plain default", mend=mend
        )
    return known[given], value


def with_defaults(source: bytes, name: str, values: Mapping[str, Value]) -> bytes:
    """The text of the same entry with other defaults; what else stands in it stays as it is."""
    known = arguments_of(source, name)
    for each in values:
        if each not in known:
            raise UsageError(f"optimize of {name} has no argument {each!r}", mend=nearest(each, known))
    for argument in sorted((known[each] for each in values), key=lambda argument: argument.start, reverse=True):
        source = source[: argument.start] + repr(values[argument.name]).encode() + source[argument.end :]
    return source


def _defaults(function: ast.FunctionDef, source: bytes) -> dict[str, Argument]:
    plain = [*function.args.posonlyargs, *function.args.args]
    pairs: list[tuple[ast.arg, ast.expr | None]] = [
        *zip(plain[len(plain) - len(function.args.defaults) :], function.args.defaults, strict=True),
        *zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True),
    ]
    given = {argument.arg for argument in plain[:GIVEN]}
    starts = _line_starts(source)
    return {
        argument.arg: Argument(argument.arg, value, *_place(node, starts))
        for argument, node in pairs
        if node is not None and argument.arg not in given and (value := _value(node)) is not ...
    }  # fmt: skip


def _is_value(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _value(node: ast.expr) -> Any:
    """A plain value, or an ellipsis for anything else."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ...
    return value if _is_value(value) else ...


def _literal(text: str) -> Any:
    """What a text says as Python, or as people write truth values; else the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {"true": True, "false": False, "none": None}.get(text.strip().lower(), text)


def _line_starts(source: bytes) -> list[int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _place(node: ast.expr, starts: list[int]) -> tuple[int, int]:
    """First and last byte: the parser counts columns in bytes of UTF-8."""
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return starts[node.lineno - 1] + node.col_offset, starts[end_line - 1] + end_column
