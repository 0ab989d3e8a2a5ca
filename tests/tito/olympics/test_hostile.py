"""One table of texts that somebody might be called, over every format that shows names: each stays one text."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.tito.class_folder import handed_in
from tito.app import run

NAMES = [
    "a|b", "a`b``c", "=1+1", "@SUM(A1)", "1,5", "1.5", "2026-03-01", "-0", "0x1F", "TRUE", "a,b;c\\t",
    '"quoted" \'twice\'',
    "<script>alert(1)</script>", "]]>&amp;<!--", "{{ 7 * 7 }}", "%0A::error::x", "$\\frac{a}{b}$", "שלום", "W" * 100,
]  # fmt: skip
LONG_FILE = f"{'x' * 200}.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Somebody of each name, and a file with a long one."""
    place = tmp_path_factory.mktemp("class")
    for number, name in enumerate(NAMES):
        handed_in(place, name, number + 2, file=f"{number}.json", typical_ns=200_000 + 20_000 * number)
    handed_in(place, "usual", 90, file=LONG_FILE)
    (place / "class.toml").write_text('points = { "1x" = 0, "9x" = 10 }\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("TITO_CACHE", str(place / "cache"))
        yield place


def written(name: str, call: str) -> str:
    """What a command writes into a file."""
    assert run(["olympics", *call.split(), "-o", name, "--force"]) == 0
    return Path(name).read_bytes().decode("utf-8")


@pytest.mark.parametrize("call", ["leaderboard . --format csv", "grade . --class class.toml"])
def test_a_csv_has_as_many_cells_in_each_line_and_no_formula(folder: Path, call: str) -> None:
    rows = list(csv.reader(io.StringIO(written("a.csv", call), newline=""), strict=True))
    cells = {cell for row in rows for cell in row}

    assert len({len(row) for row in rows}) == 1
    assert {"1,5", "1.5", "2026-03-01", "שלום", "W" * 100} <= cells
    assert not [cell for cell in cells if re.match(r"\s*[=@]", cell)]


def test_the_mark_for_excel_comes_once_and_first(folder: Path) -> None:
    text = written("a.csv", "leaderboard . --format csv --bom")

    assert (text[0], text.count("\ufeff")) == ("\ufeff", 1)
    assert re.search(r",20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", text)


def test_a_table_of_markdown_has_as_many_cells_in_each_line(folder: Path) -> None:
    lines = [line for line in written("a.md", "leaderboard . --format markdown").splitlines() if line.startswith("| ")]

    assert len(lines) > len(NAMES)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {10}


def texts(document: Any) -> set[str]:
    """Every text in a document."""
    inside = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return {document} if isinstance(document, str) else set[str]().union(*map(texts, inside))


@pytest.mark.parametrize("call", ["leaderboard . --json", "grade . --class class.toml --json"])
def test_json_has_each_name_as_it_was_written(folder: Path, call: str) -> None:
    assert {*NAMES} <= texts(json.loads(written("a.json.txt", call)))


def test_junit_is_xml(folder: Path) -> None:
    suites = ElementTree.fromstring(written("a.xml", "validate . --format junit"))

    assert len(suites) == len(NAMES) + 1


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.scripts = 0
        self.in_figures: set[str] = set()
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.attributes |= {name for name, _ in attrs}
        self._depth += tag == "svg"
        if self._depth:
            self.in_figures.add(tag)

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "svg"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_page_shows_names_as_texts_and_its_figures_have_no_scripts(folder: Path) -> None:
    page = Tags()
    page.feed(written("a.html", "report ."))

    assert {*NAMES} <= {*page.texts}
    assert page.scripts <= 1  # its own, which sorts tables
    assert not {name for name in page.attributes if name.startswith("on")}
    assert {"path", "g"} <= page.in_figures
    assert not {"script", "foreignobject", "style", "a", "image"} & page.in_figures


@pytest.mark.parametrize("width", ["60", "80", "120"])
def test_a_board_of_a_terminal_keeps_to_its_width(folder: Path, width: str, monkeypatch, capfd) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert run(["olympics", "leaderboard", "."]) == 0
    lines = capfd.readouterr().out.splitlines()

    assert max(map(len, lines)) <= int(width)
