"""The report in a real browser: it renders, stays inert whatever the names hold, fits, and sorts.

Needs Chromium and its driver, so that the usual test command leaves it out: python -m pytest -m browser
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.tito.class_folder import handed_in
from tito.app import run

pytestmark = pytest.mark.browser

HOSTILE = [
    "<script>document.title = 'taken'</script>", '"><img src=x onerror="document.title=1">', "{{ 7 * 7 }}",
    "</style><b onmouseover=alert(1)>", "W" * 100, "שלום עולם", "a&lt;b&amp;c", "javascript:alert(1)",
]  # fmt: skip
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report on athletes with hostile names, and files with worse ones."""
    folder = tmp_path_factory.mktemp("class")
    for number, name in enumerate(HOSTILE):
        handed_in(folder, name, number + 2, file=f"{number}.json", typical_ns=200_000 + 60_000 * number)
        handed_in(
            folder, name, number + 50, "memory_challenge", f"m{number}.json", kept_bytes=3_000_000 + 1000 * number
        )
    (folder / "<img src=x onerror=alert(1)>.json").write_text("{}")
    (folder / f"{'x' * 200}\u202etxt.json").write_text("{}")
    report = folder / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TITO_CACHE", str(folder / "cache"))
        assert run(["olympics", "report", str(folder), "-o", str(report)]) == 0
    return report.as_uri()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with webdriver.Chrome(options, service) as browser:
        yield browser


@pytest.fixture(params=[(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")], ids=str)
def shown(request: pytest.FixtureRequest, driver: webdriver.Chrome, page: str) -> webdriver.Chrome:
    """The page on a phone or a desk, by day or by night."""
    width, scheme = request.param
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    driver.get_log("browser")
    driver.get(page)
    return driver


def test_it_fits_without_an_error_and_every_name_is_only_text(shown: webdriver.Chrome) -> None:
    assert shown.get_log("browser") == []
    assert shown.title == "Torch Olympics: results"
    assert shown.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    assert {each.text for each in shown.find_elements(By.CSS_SELECTOR, "#r0 tbody th bdi")} == set(HOSTILE)
    assert shown.find_elements(By.CSS_SELECTOR, "img, iframe, [onerror], [onmouseover]") == []
    assert len(shown.find_elements(By.TAG_NAME, "script")) == 1
    assert "\u202e" not in shown.page_source


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)` (WCAG 2.2)."""
    channels = [int(each) / 255 for each in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("selector", ["body", ".muted", "a", "caption", "dt"])
def test_text_has_the_contrast_that_eyes_need(shown: webdriver.Chrome, selector: str) -> None:
    """4.5 to 1 (WCAG 2.2, 1.4.3), in both schemes."""
    script = "return getComputedStyle(document.querySelector(arguments[0])).getPropertyValue(arguments[1])"
    text, paper = (shown.execute_script(script, *each) for each in ((selector, "color"), ("body", "background-color")))
    dark, light = sorted(map(luminance, (text, paper)))

    assert (light + 0.05) / (dark + 0.05) >= 4.5


def column(driver: webdriver.Chrome, number: int) -> list[str]:
    cells = driver.find_elements(By.CSS_SELECTOR, f"#r0 tbody tr > :nth-child({number})")
    return [cell.get_attribute("data-value") for cell in cells]


def test_a_column_sorts_both_ways_also_by_keyboard(shown: webdriver.Chrome) -> None:
    head = shown.find_element(By.CSS_SELECTOR, "#r0 thead th:nth-child(3)")
    head.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    rising = [float(value) for value in column(shown, 3)]
    assert (rising, head.get_attribute("aria-sort")) == (sorted(rising), "ascending")

    head.find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert [float(value) for value in column(shown, 3)] == sorted(rising, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"


def test_what_is_missing_stays_last(shown: webdriver.Chrome) -> None:
    """The first has no p-value: nothing stands above it."""
    button = shown.find_element(By.CSS_SELECTOR, "#r0 thead th:nth-child(6) button")
    for _ in range(2):
        button.send_keys(Keys.ENTER)
        values = column(shown, 6)
        assert values == [*filter(None, values), *([""] * values.count(""))]


def test_a_name_leads_to_what_was_handed_in(shown: webdriver.Chrome) -> None:
    shown.find_element(By.CSS_SELECTOR, "#r0 tbody th a").send_keys(Keys.ENTER)

    assert shown.find_element(By.CSS_SELECTOR, "details:target").get_attribute("open") == "true"


def test_nothing_is_asked_of_the_network(shown: webdriver.Chrome) -> None:
    assert shown.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_what_is_read_aloud_is_there(shown: webdriver.Chrome) -> None:
    """Headings go down by one level, every table has a caption and scopes, every drawing a text."""
    levels = shown.execute_script("return [...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.tagName[1]))")
    silent = "svg:not([aria-label]), table:not(:has(caption)), th:not([scope])"

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert shown.find_elements(By.CSS_SELECTOR, silent) == []


def test_no_caption_is_cut(shown: webdriver.Chrome) -> None:
    """A table may be wider than a phone, and its caption begins on the left."""
    script = """const range = document.createRange(); const caption = document.querySelector('#r0 caption');
        range.selectNodeContents(caption); return range.getBoundingClientRect().right <= window.innerWidth"""

    assert shown.execute_script(script)


def test_what_is_printed_are_the_tables(shown: webdriver.Chrome) -> None:
    """Not a page for every submission."""
    shown.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    is_hidden = "return [...document.querySelectorAll('.submissions')].every((each) => each.offsetHeight === 0)"

    assert shown.execute_script(is_hidden)
    assert shown.find_element(By.CSS_SELECTOR, "#r0 table.sortable").is_displayed()
    shown.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_names_at_points_are_only_text(shown: webdriver.Chrome) -> None:
    """Whatever they hold; in a drawing they are shortened."""
    names = [each.text for each in shown.find_elements(By.CSS_SELECTOR, "#r0 .plot text")]

    assert any(name.startswith("<script>") or name in HOSTILE for name in names)


def test_a_script_that_somebody_put_in_would_not_run(driver: webdriver.Chrome, page: str, tmp_path: Path) -> None:
    """The page's own policy forbids it, even where escaping had failed."""
    content = Path(page.removeprefix("file://")).read_text("utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(content.replace("<main", "<script>document.title = 'taken'</script><main", 1), encoding="utf-8")
    driver.get(broken.as_uri())

    assert driver.title == "Torch Olympics: results"
