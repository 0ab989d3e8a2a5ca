"""The notebook runs from the first cell to the last, and draws what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "capstone.ipynb"
QUICKLY = """from tinytorch.benchmarking import schedule
schedule.TIERS["fast"] = schedule.Tier("fast", 40_000_000, processes=4, copies=1)
from tinytorch.datasets import fashion
every = fashion.splits_of
fashion.splits_of = lambda arrays: every({name: array[:2000] for name, array in arrays.items()})"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory, cache_directory: Path) -> Any:
    """The notebook with its outputs; measuring takes no time, and the baseline is trained already."""
    folder = tmp_path_factory.mktemp("my notebooks")
    (folder / "tinytorch-olympics").symlink_to(cache_directory)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(QUICKLY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def outputs(notebook: Any) -> str:
    return "\n".join(
        output.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    )


@pytest.mark.parametrize(
    "shown",
    [
        "latency_sprint     ranked by speedup",
        "try: ",
        "x, 95 % interval [",
        "pruned, int8, compiled",
        "checks, trust T1",
        "], in worker processes",
    ],
)
def test_a_stage_shows_its_result(executed: Any, shown: str) -> None:
    assert shown in outputs(executed)


def test_two_plots_are_drawn(executed: Any) -> None:
    drawn = [
        output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]  # fmt: skip

    assert len(drawn) == 2


def test_it_is_kept_without_outputs() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells

    assert all(not cell.outputs and cell.execution_count is None for cell in cells if cell.cell_type == "code")
