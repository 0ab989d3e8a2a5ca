"""Three doors for people who extend it: packages add tasks, checks and formats by entry points of their metadata.

The groups are `tinytorch_olympics.tasks`, `.checks` and `.formats`; docs/extend.md builds a package with all three.
Nothing is loaded before it is asked for. What is installed is trusted as every Python package is: it runs here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Literal

from tinytorch.errors import UsageError
from tinytorch.showing import safe_text

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Door = Literal["tasks", "checks", "formats"]


@cache
def advertised(door: Door) -> Mapping[str, EntryPoint]:
    """What installed packages add there, by its name. UsageError where two packages add one name."""
    found: dict[str, EntryPoint] = {}
    for each in _points(f"tinytorch_olympics.{door}"):
        other = found.setdefault(each.name, each)
        if (other.value, provider(other)) != (each.value, provider(each)):
            both = " and ".join(sorted((provider(other), provider(each))))
            raise UsageError(f"{both} both add {safe_text(each.name)} to {door}", mend="uninstall one of them")
    return found


def _points(group: str) -> list[EntryPoint]:
    from importlib.metadata import entry_points  # not needed by a command that asks for nothing

    try:
        return list(entry_points(group=group))
    except Exception as error:
        message = f"what installed packages say of themselves cannot be read: {told(error)}"
        raise UsageError(
            message, mend="pip check, and install again the package whose entry_points.txt is damaged"
        ) from error


def opened(door: Door, name: str) -> Any:
    """What a package adds under that name, loaded. UsageError that names the package where it cannot be loaded."""
    point = advertised(door)[name]
    try:
        return point.load()
    except (Exception, SystemExit) as error:
        raise broken(door, name, told(error)) from error


def broken(door: Door, name: str, why: str) -> UsageError:
    """What a package adds is not what the door is for, and why."""
    package = provider(advertised(door)[name])
    message = f"{safe_text(name)}, which {package} adds to {door}, cannot be used: {why}"
    return UsageError(message, mend=f"mend or uninstall {package}; docs/extend.md shows a package that works")


def at(address: str) -> Any:
    """What lies at `package.module:NAME`, which must be importable here. UsageError where nothing does."""
    try:
        return resolve_name(address)
    except (Exception, SystemExit) as error:
        mend = "write package.module:NAME, of an installed package or one whose folder is on PYTHONPATH"
        raise UsageError(f"nothing can be had at {safe_text(address)}: {told(error)}", mend=mend) from error


def provider(point: EntryPoint) -> str:
    """The package that adds it, with its version."""
    dist = point.dist
    return f"{dist.name} {dist.version}" if dist and dist.name else f"the package of {safe_text(point.value)}"


def folders_of(point: EntryPoint) -> list[Path]:
    """Where the package that it lies in is, or the one file that it is; nothing where it cannot be found."""
    found = find_spec(point.module.partition(".")[0])
    if found is None:
        return []
    folders = [Path(folder) for folder in found.submodule_search_locations or ()]
    return folders or [Path(found.origin or "")]


def files_of(point: EntryPoint) -> list[Path]:
    """All files of the package that it lies in, but for what Python keeps there."""
    found = [path for place in folders_of(point) for path in (place.rglob("*") if place.is_dir() else [place])]
    return sorted(path for path in found if path.is_file() and path.parent.name != "__pycache__")


def told(error: BaseException) -> str:
    """An error of somebody else's code in words; its text may be another error."""
    try:
        return safe_text(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001 - whatever the code of a package does
        return safe_text(type(error).__name__)
