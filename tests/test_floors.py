"""Imports go down only, and judging never meets running."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "tinytorch.errors": 0, "tinytorch.units": 0, "tinytorch.files": 0, "tinytorch.text": 0,
    "tinytorch.progress": 0,
    "tinytorch.processes": 1, "tinytorch.core": 1, "tinytorch.datasets": 1,
    "tinytorch.perf": 2, "tinytorch.benchmarking": 2,
    "tinytorch.workloads": 3, "tinytorch.competition": 3,
    "tinytorch.harness": 4,
    "tito": 5,
}  # fmt: skip
MAY_SHARE_A_FLOOR = {("tinytorch.datasets", "tinytorch.core")}
JUDGING_MAY_IMPORT = {"tinytorch.benchmarking.samples", "tinytorch.benchmarking.statistics"}
FILES = [*sorted((ROOT / "tinytorch").rglob("*.py")), *sorted((ROOT / "tito").rglob("*.py"))]


def imports(path: Path) -> set[str]:
    """Our own modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("tinytorch", "tito")}


def part(module: str) -> str:
    return next((name for name in FLOORS if module == name or module.startswith(f"{name}.")), module)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_from_lower_floors_and_its_own_part_only(path: Path) -> None:
    own = part(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    if own == "tinytorch":
        return  # the package's face re-exports lazily from every floor
    for name in imports(path):
        other = part(name)
        allowed = other == own or (own, other) in MAY_SHARE_A_FLOOR or FLOORS[other] < FLOORS[own]
        assert allowed, f"{own} imports {name}"


def test_judging_imports_records_and_statistics_only() -> None:
    for path in (ROOT / "tinytorch" / "competition").glob("*.py"):
        for name in imports(path):
            if part(name) == "tinytorch.benchmarking":
                assert (
                    name == "tinytorch.benchmarking.samples"
                    or any(name.startswith(allowed) for allowed in JUDGING_MAY_IMPORT)
                    or name == "tinytorch.benchmarking.statistics"
                ), f"{path.name} imports {name}"


@pytest.mark.parametrize("arguments", [["--help"], ["olympics", "--help"], ["olympics", "status"]], ids=" ".join)
def test_light_commands_import_neither_numpy_nor_scipy(arguments: list[str], tmp_path: Path) -> None:
    program = f"""
import sys
from tito.app import run
code = run({arguments!r})
print(code, sorted({{"numpy", "scipy"}} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stderr.splitlines()[-1] == "0 []"


def test_the_library_never_prints() -> None:
    for path in (ROOT / "tinytorch").rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        assert not any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls), path
