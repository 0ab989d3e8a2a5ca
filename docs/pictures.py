"""What readers see of this code, made anew: the README's pictures, and the notebook with what its cells give.

    python docs/pictures.py            # all three, some three minutes; the page needs Chromium
    python docs/pictures.py terminal   # one of them: terminal, page, notebook

Everything is measured now, so that it shows what this code says on this machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from tinytorch.competition.record.run import Run, parse_run
from tito.views.runs import result

PICTURES = Path(__file__).with_name("pictures")
NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "capstone.ipynb"
COLUMNS = 80
PAGE_SIZE = "1100,1040"  # pixels
COMMAND = "tito olympics benchmark"
FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)  # the reader's own: a picture asks no network


def terminal() -> None:
    """Measure the default entry, and draw its result."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        subprocess.run([*COMMAND.split(), "-o", str(path), "--workspace", folder], check=True)
        run = parse_run(path.name, path.read_bytes())
    (PICTURES / "terminal.svg").write_text(drawn(run), "utf-8")


def drawn(run: Run) -> str:
    """The result of a run as SVG."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, highlight=False, markup=False)
    console.print(f"$ {COMMAND}", style="bold green")
    console.print(result(run, "all_around"))
    picture = console.export_svg(title="Torch Olympics", theme=MONOKAI, unique_id="result")
    return FONTS.sub("", picture).rstrip() + "\n"


def page() -> None:
    """The report of the example class, as a browser shows its beginning."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("the picture of the page needs Chromium: install it, or make the other picture alone: terminal")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        subprocess.run(["tito", "olympics", "report", "--example", "-o", str(report)], check=True)
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={PAGE_SIZE}",
             f"--user-data-dir={folder}/profile", f"--screenshot={PICTURES / 'page.png'}", report.as_uri()],
            check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip


def notebook() -> None:
    """The capstone's notebook, run from the first cell to the last in a folder of its own."""
    import nbformat
    from nbclient import NotebookClient

    content = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(content, timeout=600, record_timing=False, resources={"metadata": {"path": folder}}).execute()
    content.metadata["language_info"] = {"name": "python"}  # not which Python it was
    nbformat.write(content, NOTEBOOK)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    made = {"terminal": terminal, "page": page, "notebook": notebook}
    for name in sys.argv[1:] or made:
        made[name]()
