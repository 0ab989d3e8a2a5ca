"""The modules beside an entry that it imports: found by reading, so that they are frozen before anything runs."""

from __future__ import annotations

import ast
import errno
import sys
import warnings
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

from tinytorch.competition.names import MOST_HELPERS
from tinytorch.errors import EntryError, UsageError
from tinytorch.files import read_regular, reason

LARGEST_ENTRY_BYTES = 1_000_000  # of an entry, and of all its helpers together
NEVER_BESIDE = {*sys.stdlib_module_names, "tinytorch"}


def helper_sources(folder: Path, entry: str, source: bytes) -> dict[str, bytes]:
    """Path from `folder` -> content of every module there that `source` imports, directly or through another one.

    UsageError for more than an entry may have, or one that cannot be read; EntryError for one that nobody can parse.
    """
    found: dict[str, bytes] = {}
    waiting = [(entry, "", source)]
    while waiting:
        for path in _paths_imported(*waiting.pop()):
            place = folder / path
            if path not in found and place.exists() and not place.is_dir():
                found[path] = _read(place, entry, LARGEST_ENTRY_BYTES - sum(map(len, found.values())))
                waiting.append((path, _package(path), found[path]))
        if len(found) > MOST_HELPERS:
            raise _too_much(entry)
    return found


def needed_sources(sources: Mapping[str, bytes], modules: Collection[str]) -> dict[str, bytes]:
    """Of an entry's files, path -> content, those that the modules lie in and those that these import.

    All of them where one that would stay behind does more than define things: importing it may set up another one.
    """
    found: dict[str, bytes] = {}
    waiting = [path for module in modules for path in _candidates(module)]
    while waiting:
        path = waiting.pop()
        if path in sources and path not in found:
            found[path] = sources[path]
            waiting.extend(_paths_imported(path, _package(path), found[path]))
    left = [source for path, source in sources.items() if path not in found]
    return found if not modules or all(map(_only_defines, left)) else dict(sources)


def _read(path: Path, entry: str, room_bytes: int) -> bytes:
    try:
        return read_regular(path, room_bytes)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise _too_much(entry) from None
        message = f"{entry} imports {path.name}, which cannot be read: {reason(error)}"
        raise UsageError(message, mend="put the module itself there") from None


def _too_much(entry: str) -> UsageError:
    limits = f"{MOST_HELPERS} modules or {LARGEST_ENTRY_BYTES:,} bytes"
    return UsageError(f"{entry} imports more than {limits} from its folder", mend="import what it needs")


def module_name(path: str) -> str:
    """Under which name the module at a path is imported: `tools/__init__.py` as `tools`."""
    return ".".join(PurePosixPath(path).with_suffix("").parts).removesuffix(".__init__")


def _only_defines(source: bytes) -> bool:
    """Whether importing a module does nothing but bind its own names to functions, classes and plain values."""
    try:
        return all(map(_is_definition, parsed(source).body))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False


def _is_definition(statement: ast.stmt) -> bool:
    """A decorator runs, and so may a base class that notes who derives from it."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):  # the last is a docstring
            return True
        case ast.FunctionDef(decorator_list=[]) | ast.AsyncFunctionDef(decorator_list=[]):
            return not _runs(statement.args)
        case ast.ClassDef(decorator_list=[], bases=[], keywords=[]):
            return all(map(_is_definition, statement.body))
        case ast.Assign(targets=targets, value=value):
            return not _runs(value) and all(isinstance(target, ast.Name) for target in targets)
        case ast.AnnAssign(target=ast.Name(), value=value):
            return value is None or not _runs(value)
    return isinstance(statement, ast.Pass)


def _runs(part: ast.AST) -> bool:
    """Whether an expression may run code that is written elsewhere."""
    return any(isinstance(node, (ast.Call, ast.Subscript, ast.Await, ast.NamedExpr)) for node in ast.walk(part))


def _package(path: str) -> str:
    return ".".join(PurePosixPath(path).parent.parts)


def _paths_imported(name: str, package: str, source: bytes) -> dict[str, None]:
    """Where the modules may lie that one imports, each once."""
    return dict.fromkeys(path for module in _imported(name, source, package) for path in _candidates(module))


def _imported(name: str, source: bytes, package: str) -> Iterator[str]:
    """Full names of modules, and of what may be one, in the import statements of a module of `package`."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError):  # told with its line when it is imported
        return
    except (MemoryError, RecursionError):
        message = f"{name}: line {_line_beyond(source)} is nested too deeply for Python"
        raise EntryError(message, mend="write it in several statements, or make it in a loop") from None
    inside = package.split(".") if package else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level <= len(inside):
            package_parts = inside[: len(inside) - node.level + 1] if node.level else []
            base = [*package_parts, *filter(None, [node.module])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def parsed(source: bytes) -> ast.Module:
    """The syntax tree of a module; SyntaxError, ValueError, MemoryError or RecursionError for one that has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an escape that is none: its author's, when it is imported
        return ast.parse(source)


def _line_beyond(source: bytes) -> int:
    """The number of the first line with which the parser gives up."""
    lines = source.splitlines(keepends=True)

    def is_beyond(count: int) -> bool:
        try:
            parsed(b"".join(lines[:count]))
        except (MemoryError, RecursionError):
            return True
        except (SyntaxError, ValueError):  # it ends amid a statement
            return False
        return False

    return bisect_left(range(len(lines)), True, key=is_beyond)


def _candidates(name: str) -> Iterator[str]:
    """Where the module called `name` and the packages that it is in may lie."""
    parts = name.split(".")
    if parts[0] in NEVER_BESIDE:
        return
    for count in range(1, len(parts) + 1):
        path = "/".join(parts[:count])
        yield from (f"{path}/__init__.py", f"{path}.py")
