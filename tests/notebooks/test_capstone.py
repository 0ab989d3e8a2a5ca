"""The notebook runs from the first cell to the last, and draws what it says."""

from __future__ import annotations

import re
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

SHOWN = {"stream", "display_data", "execute_result"}
SOLVED = "--- solved ---"
INSIDE = """outside = []
for each in (figure, front):
    each.canvas.draw()
    frame = each.axes[0].get_window_extent()
    for label in each.axes[0].texts:
        box = label.get_window_extent()
        if box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1:
            outside.append(label.get_text())
print("labels outside:", outside)"""
SOLUTIONS = f"""print({SOLVED!r})
print("smaller:")
check_smaller(quantize_model(baseline, bits=3, symmetric=False, rounding="compensated", train_data=train))
print("shown:")
check_shown(same.ci_lower > 1 or same.ci_upper < 1)
print("all around:")
calculate_normalized_scores = lambda first, second: {{"all_around": 4.5}}
check_all_around(lambda model, train_data: model)"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory, cache_directory: Path) -> Any:
    """The notebook with its outputs; measuring takes no time, and the baseline is trained already."""
    folder = tmp_path_factory.mktemp("my notebooks")
    (folder / "tinytorch-olympics").symlink_to(cache_directory)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(QUICKLY))
    notebook.cells += map(nbformat.v4.new_code_cell, (INSIDE, SOLUTIONS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def outputs(notebook: Any) -> str:
    """Texts and tables of all cells, with single spaces."""
    given = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = [output.get("text", "") + output.get("data", {}).get("text/markdown", "") for output in given]
    return " ".join("\n".join(texts).split())


@pytest.mark.parametrize(
    "shown",
    [
        "| latency_sprint | speedup | accuracy >= 0.85 |",
        "try: ",
        "x, 95 % interval [",
        "pruned, int8, compiled",
        "checks, trust T1",
        "], in worker processes",
    ],
)
def test_a_stage_shows_its_result(executed: Any, shown: str) -> None:
    assert shown in outputs(executed)


def test_two_plots_are_drawn_and_every_label_lies_inside_its_frame(executed: Any) -> None:
    drawn = [
        output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]  # fmt: skip

    assert len(drawn) == 2
    assert "labels outside: []" in outputs(executed)


@pytest.mark.parametrize("exercise", ["smaller", "shown", "all around"])
def test_an_exercise_says_when_it_is_done(executed: Any, exercise: str) -> None:
    before, after = outputs(executed).split(SOLVED)

    assert f"{exercise}: done" in after
    assert "done: " not in before
    assert before.count("not yet: ") == 3


STORED = nbformat.read(NOTEBOOK, as_version=4)


def test_a_reader_on_the_web_sees_what_every_cell_gives() -> None:
    """Tables, pictures and texts, none of which names a place on the machine."""
    kinds = [kind for cell in STORED.cells for output in cell.get("outputs", []) for kind in output.get("data", ())]
    text = NOTEBOOK.read_text("utf-8")

    assert kinds.count("text/markdown") >= 4
    assert kinds.count("image/png") == 2
    assert {output.output_type for cell in STORED.cells for output in cell.get("outputs", [])} <= SHOWN
    assert not re.search(r"/(?:home|root|tmp|Users)/", text)


def test_no_dict_is_shown_as_python_writes_it() -> None:
    assert not any(
        output.get("text", "").startswith("{") for cell in STORED.cells for output in cell.get("outputs", [])
    )
