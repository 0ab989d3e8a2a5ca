"""`tito system`: this machine and this installation, and what is doubtful about them."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tinytorch.errors import SetupMissingError, TinyTorchError
from tinytorch.units import format_size, format_time
from tito.course.coursework import installed_version
from tito.exit_codes import ExitCode
from tito.options import Json
from tito.place import CHECKOUT, IS_CHECKOUT
from tito.terminal import screen
from tito.terminal.tables import table
from tito.workspace.folder import CACHE_VARIABLE, folder_of, workspace_root

if TYPE_CHECKING:
    from tinytorch.benchmarking.records.session import ReferenceTimes

LEAST_FREE_BYTES, LEAST_MEMORY_BYTES = 500_000_000, 2_000_000_000
PACKAGES = ("numpy", "scipy", "pydantic", "typer", "rich", "psutil", "numba", "pytest", "matplotlib")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it is good, what was seen, and what to do if it is not."""

    name: str
    is_good: bool
    seen: str
    mend: str = ""


def info(json_: Json = False) -> None:
    """Describe Python, numpy and its BLAS, cores, memory, packages, and where tito keeps its files."""
    facts = _facts()
    if json_:
        screen.put_json(facts)
        return
    shown = table("System", "", "")
    for name, value in facts.items():
        shown.add_row(name.removesuffix("_bytes").replace("_", " "), _in_words(name, value))
    screen.show(shown)


def health(json_: Json = False) -> None:
    """Check that everything works here: exit code 1 where something does not, with what mends it."""
    checks = [_checked(name, look) for name, look in LOOKS.items()]
    is_good = all(check.is_good for check in checks)
    if json_:
        screen.put_json({"is_good": is_good, "checks": [asdict(check) for check in checks]})
    else:
        _show(checks)
    if not is_good:
        raise typer.Exit(ExitCode.FINDINGS)


def _facts() -> dict[str, Any]:
    from tinytorch.benchmarking.system import describe

    machine = describe().model_dump()
    return {
        "tito": installed_version(),
        "python": sys.version.split()[0],
        "python_at": sys.executable,
        "source": str(CHECKOUT) if IS_CHECKOUT else None,
        "operating_system": machine["operating_system"],
        "cpu": machine["cpu_model"],
        "cores": machine["physical_cores"],
        "logical_cores": machine["logical_cores"],
        "memory_bytes": machine["memory_bytes"],
        "blas": machine["blas"],
        "blas_threads": machine["blas_threads"],
        "packages": dict(_versions()),
        "workspace": str(workspace_root(None).absolute()),
        "cache": _cache_folder(),
        "best_times": _best_times(),
    }


def _best_times() -> dict[str, str]:
    """What this machine has shown at best, of each baseline that was measured on it as it is now: the latest counts."""
    from tito.workspace.machine import MachineFile

    try:
        known = MachineFile().read().known
    except SetupMissingError:
        return {}
    found = {each.task: each.reference(datetime.now(UTC)) for each in known}
    return {task: _best_time(best) for task, best in found.items() if best}


def _best_time(known: ReferenceTimes) -> str:
    hours = f"{known.hours} hour{'' if known.hours == 1 else 's'}"
    return f"baseline {format_time(known.baseline_ns)}, yardstick {format_time(known.yardstick_ns)} ({hours})"


def _cache_folder() -> str | None:
    """None where nobody can say: no TITO_CACHE, and no home."""
    from tinytorch.workloads.place import users_folder

    try:
        return str(folder_of(CACHE_VARIABLE) or users_folder())
    except SetupMissingError:
        return None


def _versions() -> Iterator[tuple[str, str | None]]:
    for name in PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, None


def _in_words(name: str, value: Any) -> str:
    if isinstance(value, dict) and not value:
        return "none yet: tito olympics doctor"
    if isinstance(value, dict):
        return ", ".join(f"{key} {found}" if found else f"no {key}" for key, found in value.items())
    if name == "memory_bytes":
        return format_size(value)
    return "not known" if value is None else str(value)


def _checked(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except (TinyTorchError, OSError, ImportError) as error:
        mend = getattr(error, "mend", "") or "tito system info shows what is installed"
        return Check(name, False, str(error), mend)


def _python() -> Check:
    return Check("Python", sys.version_info >= (3, 11), sys.version.split()[0], "install Python 3.11 or newer")


def _arithmetic() -> Check:
    """A product of matrices by numpy, and a gradient by the framework."""
    import numpy as np

    from tinytorch import Tensor

    x = Tensor([[1.0, 2.0]], requires_grad=True)
    (x @ Tensor([[3.0], [4.0]])).sum().backward()
    is_right = x.grad is not None and np.array_equal(x.grad, [[3.0, 4.0]])
    return Check("arithmetic", bool(is_right), f"numpy {np.__version__}", "python -m pip install --upgrade numpy")


def _digits() -> Check:
    from tinytorch.datasets.digits import load_digits

    train, test = load_digits()
    return Check("digits", True, f"{len(train)} + {len(test)} samples, as shipped")


def _workspace() -> Check:
    return _writable("workspace", workspace_root(None), "choose another place with TITO_WORKSPACE")


def _cache() -> Check:
    from tinytorch.workloads.place import users_folder

    return _writable("cache", folder_of(CACHE_VARIABLE) or users_folder(), "choose another place with TITO_CACHE")


def _writable(name: str, folder: Path, mend: str) -> Check:
    """Whether a file can be written in a folder, or in the nearest one above that is there."""
    above = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=above) as file:
            file.write(b"x")
    except OSError as error:
        return Check(name, False, f"cannot write in {above}: {error.strerror}", mend)
    return Check(name, True, str(folder))


def _disk() -> Check:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    return Check("disk", free > LEAST_FREE_BYTES, f"{format_size(free)} free for temporary files",
                 f"make {format_size(LEAST_FREE_BYTES)} free, or set TMPDIR")  # fmt: skip


def _memory() -> Check:
    import psutil

    free = psutil.virtual_memory().available
    return Check("memory", free > LEAST_MEMORY_BYTES, f"{format_size(free)} free", "close what is not needed")


def _load() -> Check:
    """Whether the machine is quiet enough to measure on."""
    import psutil

    load, cores = psutil.getloadavg()[0], os.cpu_count() or 1
    return Check("load", load < cores, f"{load:.1f} processes are running, of {cores} cores",
                 "measure when nothing else runs, or with --tier rigorous")  # fmt: skip


def _compiler() -> Check:
    """Whether numba, where it is installed, can be used."""
    if find_spec("numba") is None:
        return Check("compiled kernels", True, "no numba: compiled models use numpy, and are slower")
    try:
        import numba
    except ImportError as error:
        return Check("compiled kernels", False, str(error), "python -m pip install --upgrade numba")
    return Check("compiled kernels", True, f"numba {numba.__version__}")


def _worker() -> Check:
    """Whether a process of our own can be started, which all measuring needs."""
    from tinytorch.processes.worker import Worker

    with Worker("tito.system:Answering") as worker:
        answer = worker.ask("answer", limit_s=30)
    return Check("processes", answer == Answering.ANSWER, "a worker answers")


class Answering:
    """What the worker of a health check runs."""

    ANSWER = 42

    def answer(self) -> int:
        """The answer."""
        return self.ANSWER


LOOKS = {
    "Python": _python, "arithmetic": _arithmetic, "digits": _digits, "workspace": _workspace, "cache": _cache,
    "disk": _disk, "memory": _memory, "load": _load, "compiled kernels": _compiler, "processes": _worker,
}  # fmt: skip


def _show(checks: list[Check]) -> None:
    shown = table("Health", "", "", "what was seen")
    for check in checks:
        shown.add_row("good" if check.is_good else "doubt", check.name, check.seen)
    screen.show(shown)
    for check in checks:
        if not check.is_good:
            screen.say(f"{check.name}: {check.mend}")
