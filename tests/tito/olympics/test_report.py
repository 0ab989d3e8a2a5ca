"""The report as text: what stands in it, and that no name becomes markup. In a browser: tests/browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.competition.conftest import FACTS
from tests.competition.entries import figures
from tests.competition.entries import handed_in as handed_in_figures
from tests.tito.class_folder import handed_in
from tinytorch.benchmarking.comparison import Distribution
from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.ranking.judged import Circumstances
from tinytorch.competition.ranking.leaderboard import Wanted, leaderboard
from tinytorch.competition.record.run import TaskRecord
from tinytorch.competition.record.submission import Scores
from tinytorch.competition.rules.events import load_rules
from tinytorch.competition.scoring.packaging import generate_submission
from tito.report.page import page as page_of
from tito.report.plots import Scale, axis, fronts, histogram

SPREAD = Distribution(lower=1.0, upper=4.0, counts=[1, 5, 2, 0], below=1, above=2)


class Reader(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def attributes(self, name: str) -> list[str | None]:
        return [found[name] for _, found in self.tags if name in found]


@pytest.fixture
def folder(beginner: Path) -> Path:
    """Two athletes in two events, and a file that is no submission."""
    for event in ("latency_sprint", "accuracy_contest"):
        handed_in(beginner, "ada", 2, event, f"ada-{event}.json")
        handed_in(beginner, "<b>bob</b>", 3, event, f"bob-{event}.json", typical_ns=400_000)
    (beginner / "notes.json").write_text("{}")
    return beginner


@pytest.fixture
def page(folder: Path, tito) -> Reader:
    assert tito("report", ".").code == 0
    return Reader(Path("report.html").read_text("utf-8"))


def test_every_part_is_there(page: Reader) -> None:
    text = " ".join(page.text)
    wanted = [
        "Latency Sprint", "Accuracy Contest", "Podium", "What costs what", "Each submission", "How to read this page",
        "Not ranked", "notes.json", "block pairs by their speedup", "checks passed", "Synthetic, 2 cores",
        "Limits of the rules", "strategy prune", "tier fast: 6 processes x 1 copies", "session_spread",
    ]  # fmt: skip

    assert [each for each in wanted if each not in text] == []


def test_a_submission_says_what_its_machine_may_have_done(page: Reader) -> None:
    """Where a time is ranked."""
    said = [each for each in page.text if "up to 10 % of the speedup may be its doing" in each]

    assert len(said) == 2
    assert "The machine then" in page.text


def test_a_name_is_text_and_never_markup(page: Reader) -> None:
    assert "<b>bob</b>" in page.text
    assert "b" not in {tag for tag, _ in page.tags}


def test_ids_are_unique_and_every_reference_is_to_one(page: Reader) -> None:
    ids = page.attributes("id")
    targets = [each for name in ("href", "xlink:href") for each in page.attributes(name) if each.startswith("#")]

    assert len(set(ids)) == len(ids)
    assert {each.removeprefix("#") for each in targets} <= set(ids)
    assert set(page.attributes("aria-labelledby")) <= set(ids)


def test_nothing_needs_the_network_or_a_style_of_its_own(page: Reader) -> None:
    """A strict policy would forbid them."""
    assert page.attributes("style") == page.attributes("src") == []
    assert [each for each in page.attributes("href") if not each.startswith(("#", "https://example.org"))] == []
    assert "link" not in {tag for tag, _ in page.tags}
    (policy,) = [found["content"] for _, found in page.tags if found.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_bars_of_a_table_have_one_axis(page: Reader) -> None:
    bars = [found for tag, found in page.tags if found.get("class") == "bar"]
    axes = [found for tag, found in page.tags if found.get("class") == "axis"]

    assert (len(bars), len(axes)) == (4, 2)
    assert [found for found in bars if not re.fullmatch(r"\S+ to \S+( points)?", found["aria-label"])] == []


def test_every_row_has_a_cell_for_each_heading_and_none_comes_twice(page: Reader) -> None:
    """What a ranking is by has its column already."""
    text = Path("report.html").read_text("utf-8")
    for table in re.findall(r'<table class="sortable">.*?</table>', text, re.DOTALL):
        headings = re.findall(r"<button[^>]*>(.*?)</button>", table)
        widths = {len(re.findall(r"<t[hd][ >]", row)) for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)}

        assert len(set(headings)) == len(headings)
        assert widths == {10}


def test_the_mark_of_every_bar_lies_within_its_interval(page: Reader) -> None:
    """Of accuracy, too, where the bar is of the change."""
    rects = [{key: float(found[key]) for key in ("x", "width")} for tag, found in page.tags if tag == "rect"]

    assert len(rects) == 8
    for interval, mark in zip(rects[::2], rects[1::2], strict=True):
        assert interval["x"] <= mark["x"] + mark["width"] / 2 <= interval["x"] + interval["width"]


def test_the_receipt_is_a_document(folder: Path, tito) -> None:
    done = tito("report", ".", "--event", "latency_sprint", "-o", "r.html", "--json")

    assert {**done.json, "sha256": ""} == {"file": "r.html", "sha256": "", "rankings": 1, "ranked": 2}


def test_nothing_to_rank_is_a_finding_and_no_page_is_written(folder: Path, tito) -> None:
    done = tito("report", "notes.json", "--json")

    assert (done.code, done.json["file"]) == (1, None)
    assert "no page is written: not valid" in done.err
    assert not Path("report.html").exists()


def test_a_page_replaces_a_page_and_nothing_else(folder: Path, tito) -> None:
    assert [tito("report", ".").code, tito("report", ".").code] == [0, 0]
    assert tito("report", ".", "-o", "notes.json").code == 2


def test_numbers_given_by_hand_have_no_bar_and_no_plot(beginner: Path, tito) -> None:
    numbers = {"latency": 50.0, "memory": 12.0, "accuracy": 0.97}
    task = TaskRecord(name="digits_mlp", dataset_sha256=FACTS.dataset_sha256, test_samples=360)
    document = generate_submission(baseline_results=numbers, optimized_results={**numbers, "latency": 10.0},
                                   event="latency_sprint", athlete_name="ada", task=task)  # fmt: skip
    Path("a.json").write_text(json.dumps(document))

    assert tito("report", ".", "--trust", "T0").code == 0
    assert "no interval" in Path("report.html").read_text("utf-8")


def test_without_the_packages_it_says_what_to_install(folder: Path, tito, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("page", "rendering"):
        monkeypatch.delitem(sys.modules, f"tito.report.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = tito("report", ".")

    assert done.code == 3
    assert "pip install 'tinytorch-olympics[report]'" in done.err


def test_a_page_for_a_class_accuses_nobody(folder: Path, tito) -> None:
    """What two files share is for the instructor."""
    handed_in(folder, "mallory", 2, "latency_sprint", "mallory.json")
    tito("report", ".", "--event", "latency_sprint")
    text = Path("report.html").read_text("utf-8")

    assert "mallory.json" in text
    assert "have the same samples as" not in text
    assert "TO-B01" not in text
    assert "TO-B01" in tito("leaderboard", ".").out


def page_with(notes: Sequence[Finding], *repositories: str) -> str:
    """A page of athletes with these repositories, and with these notes of each."""
    files = [
        handed_in_figures(figures(each, repository=each), source=each).among(notes) for each in repositories
    ]  # fmt: skip
    board = leaderboard(files, load_rules(), Wanted())
    return page_of(board, {each.sha256: Circumstances() for each in files}, datetime(2026, 3, 1, tzinfo=UTC))


def test_only_a_web_address_becomes_a_link() -> None:
    """Whatever a check would say of it."""
    shown = Reader(page_with([], "https://example.org/ada", "javascript:alert(1)"))

    assert [each for each in shown.attributes("href") if not each.startswith("#")] == ["https://example.org/ada"]


def test_only_what_failed_and_matters_is_counted() -> None:
    kinds = [(None, "warning"), (False, "info"), (False, "warning")]
    notes = [Finding("x", "TO-X01", passed, weight, "", "", {}) for passed, weight in kinds]

    assert ", 1 warning</summary>" in page_with(notes, "https://example.org/ada")


def test_a_copy_tells_nothing_more_of_the_submission(folder: Path, tito) -> None:
    """What the other files say of a ranked one stands there once."""
    tito("report", ".", "--event", "latency_sprint")
    before = re.findall(r"\d+ checks passed", Path("report.html").read_text("utf-8"))
    Path("copy.json").write_bytes(Path("ada-latency_sprint.json").read_bytes())
    tito("report", ".", "--event", "latency_sprint")

    assert re.findall(r"\d+ checks passed", Path("report.html").read_text("utf-8")) == before


def test_a_page_goes_to_standard_output(folder: Path, tito) -> None:
    assert tito("report", ".", "-o", "-").out.startswith("<!doctype html>")


@pytest.mark.parametrize(("scale", "value", "position"), [
    (Scale(1.0, 100.0, True), 10.0, 50.0), (Scale(0.0, 4.0, False), 3.0, 72.0), (Scale(2.0, 2.0, True), 2.0, 50.0),
])  # fmt: skip
def test_a_place_on_an_axis(scale: Scale, value: float, position: float) -> None:
    assert scale.position(value) == pytest.approx(position)


def test_a_drawing_uses_the_page_s_colours_and_has_a_text() -> None:
    drawn = str(histogram(SPREAD, "h", 2.0))

    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawn)) <= {"var(--faint)", "var(--accent)", "none"}
    assert 'aria-label="11 block pairs, nearly all with a speedup from 1.00 to 4.00"' in drawn
    assert "style=" not in drawn


def test_a_speedup_outside_its_spread_is_not_drawn() -> None:
    assert "var(--accent)" not in histogram(SPREAD, "h", 9.0)


def test_an_axis_of_one_value_can_be_drawn() -> None:
    drawn = axis(Scale(3.0, 3.0, True), "a", "an axis")

    assert (">2<" in drawn, ">4<" in drawn) == (True, True)


def test_a_front_is_filled_and_its_line_goes_down_before_it_goes_on() -> None:
    """Between two entries nobody reaches the better of both."""
    drawn_of = {"fast": (4.0, 0.90), "right": (2.0, 0.95), "neither": (1.5, 0.85)}
    entries = [
        figures(name, scores=Scores(speedup=speedup, compression_ratio=2.0), accuracy=accuracy)
        for name, (speedup, accuracy) in drawn_of.items()
    ]
    panels, best = fronts(entries, "f")
    (line,) = re.findall(r'<path d="M ([^"]*)" fill="none" stroke="var\(--accent\)" stroke-linecap', panels[0])
    corners = [tuple(map(float, each.split())) for each in line.split(" L ")]

    assert [each.athlete_name for each in best] == ["fast", "right"]
    assert len(re.findall(r'<use [^>]*fill="var\(--accent\)"', panels[0])) == 2
    assert corners[0][0] == corners[1][0] < corners[2][0]
    assert corners[0][1] < corners[1][1] == corners[2][1]


def test_a_front_of_one_entry_is_not_drawn() -> None:
    assert fronts([], "f") == ([], [])


def test_a_user_s_settings_of_matplotlib_change_nothing(folder: Path, tito) -> None:
    """Formulas by TeX would want TeX, and may read anything."""
    import matplotlib

    with matplotlib.rc_context({"text.usetex": True, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert tito("report", ".", "-o", "theirs.html").code == 0
    tito("report", ".", "-o", "ours.html")
    theirs, ours = (
        re.sub("Page made[^<]*", "", Path(name).read_text("utf-8")) for name in ("theirs.html", "ours.html")
    )

    assert theirs == ours


def with_settings(folder: Path, settings: bytes, backend: str = "nonsense") -> tuple[int, str]:
    """The exit code of a report made where somebody's settings of matplotlib lie, and what it said."""
    (folder / "matplotlibrc").write_bytes(settings)
    command = [sys.executable, "-m", "tito", "olympics", "report", "--example"]
    environment = {**os.environ, "MPLBACKEND": backend}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_page_needs_no_backend_and_none_of_its_user_s_settings(tmp_path: Path) -> None:
    code, said = with_settings(tmp_path, b"text.usetex: True\nsavefig.format: pdf\n")

    assert (code, "error" in said) == (0, False)


def test_settings_that_cannot_be_read_are_said_with_their_mend(tmp_path: Path) -> None:
    code, said = with_settings(tmp_path, b"font.family: \xe9\n")

    assert (code, "remove the file matplotlibrc" in said) == (2, True)


def test_names_of_a_front_stand_at_its_points(folder: Path, tito) -> None:
    tito("report", ".", "--names", "initials")
    panels = re.findall(r'<svg[^>]*class="plot".*?</svg>', Path("report.html").read_text("utf-8"), re.DOTALL)

    assert all(re.search(">[ABE]\\.<", panel) for panel in panels)


def test_the_example_has_a_page(beginner: Path, tito) -> None:
    done = tito("report", "--example")
    text = Path("report.html").read_text("utf-8")

    assert (done.code, "ten synthetic submissions" in done.err) == (0, True)
    assert "<h1><bdi>Example class: ten synthetic submissions</bdi></h1>" in text
    assert "In the class, without a rank: 2." in text
