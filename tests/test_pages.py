"""The pages hold together: the README is short, no link leads nowhere, and what is made from the source is as it is."""

from __future__ import annotations

import json
import re
import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/*.md")))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
MOST_WORDS = 700


def test_the_readme_is_a_screen_and_a_half() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= MOST_WORDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page: Path) -> None:
    """Also to a heading of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for link in LINK.findall(text):
        file, _, heading = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    """The names that a page's headings have as targets of links, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("name", ["words.md", "api.md"])
def test_a_page_that_is_made_from_the_source_is_as_it_is(name: str) -> None:
    """Mended by: python docs/pages.py"""
    make = runpy.run_path(str(ROOT / "docs" / "pages.py"))["PAGES"][name]

    assert (ROOT / "docs" / name).read_text("utf-8") == make()


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "pictures").iterdir()), ids=lambda path: path.name)
def test_every_picture_is_shown_somewhere(picture: Path) -> None:
    assert any(picture.name in page.read_text() for page in PAGES)


def test_a_codespace_begins_with_the_readme_s_own_command() -> None:
    """Its file has comments, which JSON has not."""
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    asked = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))

    assert "source bin/activate-tinytorch.sh" in asked["postCreateCommand"]
    assert "/" not in asked["image"]


def test_binder_installs_what_the_notebook_needs() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = re.search(r"\.\[([\w,]+)\]", (ROOT / "binder" / "postBuild").read_text())[1].split(",")

    assert "notebook" in asked
    assert {*asked} <= {*extras}


def test_the_version_is_one() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## [{version}] - " in (ROOT / "CHANGELOG.md").read_text()
