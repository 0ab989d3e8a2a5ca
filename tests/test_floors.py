"""Imports go down only, and judging never meets running."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tito.commands import every_command

ROOT = Path(__file__).parents[1]
FLOORS = {
    "tinytorch.errors": 0, "tinytorch.units": 0, "tinytorch.files": 0, "tinytorch.showing": 0,
    "tinytorch.progress": 0, "tinytorch.owners": 0, "tinytorch.marks": 0, "tinytorch.foreign": 0,
    "tinytorch.drawing": 1,
    "tinytorch.doors": 1, "tinytorch.lock": 1, "tinytorch.processes": 1, "tinytorch.core": 1, "tinytorch.datasets": 1,
    "tinytorch.perf": 2, "tinytorch.benchmarking": 2,
    "tinytorch.workloads": 3, "tinytorch.competition": 3, "tinytorch.olympics": 3,
    "tinytorch.harness": 4,
    "tito": 5,
    "tinytorch._legacy": 3,
    "tinytorch": 3,  # its face: names of lower floors, for those above
}  # fmt: skip
ORDERS = {  # inside a part: a folder imports from those before it
    "tinytorch.competition": ["names", "rules", "record", "scoring", "checks", "ranking", "grading", "formats"],
    "tito": [
        "exit_codes",
        "place",
        "commands",
        "terminal",
        "workspace",
        "options",
        "start",
        "views",
        "report",
        "olympics",
        "course",
    ],
}
MAY_SHARE_A_FLOOR = {
    ("tinytorch.datasets", "tinytorch.core"), ("tinytorch.perf", "tinytorch.benchmarking"),
    ("tinytorch.olympics", "tinytorch.competition"), ("tinytorch.files", "tinytorch.owners"),
}  # fmt: skip
JUDGING_MAY_IMPORT = tuple(f"tinytorch.benchmarking.{name}" for name in ("records", "comparison", "statistics", "holm"))
FILES = [*sorted((ROOT / "tinytorch").rglob("*.py")), *sorted((ROOT / "tito").rglob("*.py"))]
NAMED = re.compile(r"((?:tinytorch|tito)(?:\.\w+)*):\w+")  # `package.module:function`, resolved while running


def imports_of(source: str) -> set[str]:
    """Our own modules that a file's text imports, wherever in it, or names for somebody else to import."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = NAMED.fullmatch(node.value)
            found |= {named[1]} if named else set()
    return {name for name in found if name.split(".")[0] in ("tinytorch", "tito")}


def part(module: str) -> str:
    return next((name for name in FLOORS if module == name or module.startswith(f"{name}.")), module)


def technique(module: str) -> str:
    """`tinytorch.perf.profiling` of `tinytorch.perf.profiling.costs`."""
    return ".".join(module.split(".")[:3])


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def upward(module: str, source: str) -> list[str]:
    """What a module imports that is neither below it nor its own part; in `perf` its own part is one technique."""
    own, wrong = part(module), []
    for name in sorted(imports_of(source)):
        other = part(name)
        is_sibling = other == own and (own != "tinytorch.perf" or technique(name) == technique(module))
        if not (is_sibling or (own, other) in MAY_SHARE_A_FLOOR or FLOORS[other] < FLOORS[own]):
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_from_lower_floors_and_its_own_part_only(path: Path) -> None:
    if module_of(path) != "tinytorch":  # the package's face re-exports lazily from every floor
        assert upward(module_of(path), path.read_text()) == []


def backward(module: str, source: str) -> list[str]:
    """What a module imports from a folder that comes after its own, or from itself by way of the package's face."""
    for root, order in ORDERS.items():
        own = module.removeprefix(f"{root}.").split(".")[0]
        if module.startswith(f"{root}.") and own in order:
            others = {name: name.removeprefix(f"{root}.").split(".")[0] for name in imports_of(source)}
            later = order[order.index(own) + 1 :]
            return sorted(name for name, other in others.items() if name.startswith(f"{root}.") and other in later)
    return []


def test_a_file_imports_from_the_folders_before_its_own() -> None:
    for path in FILES:
        if module_of(path) != "tito.commands":  # the tree, which names every command for others to load
            assert backward(module_of(path), path.read_text()) == [], path


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("tinytorch.competition.record.parsing", "from tinytorch.competition.checks.findings import Finding"),
        ("tinytorch.competition.rules.events", "def late():\n    from tinytorch.competition.scoring import scores"),
        ("tito.terminal.screen", "from tito.workspace import history"),
        ("tito.views.runs", "import tito.olympics.score"),
    ],
)
def test_an_import_from_a_later_folder_is_seen(module: str, source: str) -> None:
    assert len(backward(module, source)) == 1


def test_every_folder_of_a_part_has_its_place() -> None:
    for root, order in ORDERS.items():
        folders = {path.parent.name for path in (ROOT / root.replace(".", "/")).glob("*/__init__.py")}

        assert folders <= {*order}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("tinytorch.core.layers", "from tinytorch.perf import compression"),
        ("tinytorch.perf.compression", "from tinytorch.perf.quantization import quantize_model"),
        ("tinytorch.perf.compression", "def late():\n    import tinytorch.perf.quantization"),
        ("tinytorch.benchmarking.remote", "SERVICE = 'tinytorch.harness.build:BuildService'"),
        ("tinytorch.processes.worker", "from tinytorch.core.tensor import Tensor"),
    ],
)
def test_an_import_that_goes_up_or_sideways_is_seen(module: str, source: str) -> None:
    assert len(upward(module, source)) == 1


def test_judging_imports_records_comparison_and_statistics_only() -> None:
    for path in (ROOT / "tinytorch" / "competition").rglob("*.py"):
        for name in imports_of(path.read_text()):
            if part(name) == "tinytorch.benchmarking":
                assert name.startswith(JUDGING_MAY_IMPORT), path


HEAVY = (
    "numpy",
    "scipy",
    "psutil",
    "threadpoolctl",
    "rich.progress",
    "tinytorch.benchmarking",
    "tinytorch.competition.rules.events",
    "rich",
)
RUNNING = tuple(f"tinytorch.{name}" for name in ("core", "perf", "processes", "datasets", "workloads.task", "harness"))


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (["--help"], (*HEAVY, "tito.olympics.status")),
        (["olympics", "--help"], (*HEAVY, "tito.olympics.status")),
        (["olympics", "status"], (*HEAVY, "tito.olympics.benchmark")),
        *(([*command, "--help"], ("numpy", "scipy")) for command in every_command()),
        (["olympics", "validate", "none.json"], (*RUNNING, "rich.progress", "psutil", "threadpoolctl", "platformdirs")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_imports_nothing_that_it_does_not_need(
    arguments: list[str], unneeded: tuple[str, ...], tmp_path: Path
) -> None:
    program = f"import sys; from tito.app import run; run({arguments!r}); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = done.stderr.splitlines()[-1].split()

    assert "tito.app" in loaded
    assert {name for name in loaded if name.startswith(unneeded)} == set()


def test_the_library_never_prints() -> None:
    entries = ROOT / "tinytorch" / "harness" / "cheats" / "entries"  # which others might have written
    for path in {*(ROOT / "tinytorch").rglob("*.py")} - {*entries.glob("*.py")}:
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        assert not any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls), path
