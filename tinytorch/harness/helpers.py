"""The modules beside an entry that it imports: found by reading, so that they are frozen before anything runs."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

NEVER_BESIDE = {*sys.stdlib_module_names, "tinytorch"}


def helper_sources(folder: Path, source: bytes) -> dict[str, bytes]:
    """Path from `folder` -> content of every module there that `source` imports, directly or through another one."""
    found: dict[str, bytes] = {}
    waiting = [("", source)]
    while waiting:
        package, text = waiting.pop()
        paths = (path for name in _imported(text, package) for path in _candidates(name))
        for path in dict.fromkeys(paths):
            if path not in found and (folder / path).is_file():
                found[path] = (folder / path).read_bytes()
                waiting.append((".".join(PurePosixPath(path).parent.parts), found[path]))
    return found


def module_name(path: str) -> str:
    """Under which name the module at a path is imported: `tools/__init__.py` as `tools`."""
    return ".".join(PurePosixPath(path).with_suffix("").parts).removesuffix(".__init__")


def _imported(source: bytes, package: str) -> Iterator[str]:
    """Full names of modules, and of what may be one, in the import statements of a module of `package`."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # told with its line when it is imported
        return
    inside = package.split(".") if package else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level <= len(inside):
            package_parts = inside[: len(inside) - node.level + 1] if node.level else []
            base = [*package_parts, *filter(None, [node.module])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


def _candidates(name: str) -> Iterator[str]:
    """Where the module called `name` and the packages that it is in may lie."""
    parts = name.split(".")
    if parts[0] in NEVER_BESIDE:
        return
    for count in range(1, len(parts) + 1):
        path = "/".join(parts[:count])
        yield from (f"{path}/__init__.py", f"{path}.py")
