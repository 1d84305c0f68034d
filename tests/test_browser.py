"""The report as a browser shows it: by mouse, by keys, without scripts, on paper, to a reader."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from pipeline.reporting.findings import Findings
from pipeline.reporting.html import write_html
from pipeline.reporting.results_page import Snapshot
from pipeline.specs.loading import load_experiment
from tasks.mt.examples import ShownLine
from tests.browser import chromium, grave_barriers
from tests.conftest import Study

SNAPSHOT = Path(__file__).parents[1] / "docs" / "results" / "nusa.json"
EVIL = '<img src="http://x.invalid/a.png" onerror="hit=1"><script>hit=1</script></td>{{ 7 * 7 }}'
LONG = "panjang" * 60
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 420, "height": 800}
LABELS = [f"{name}{EVIL}" for name in "jihgfedcbaklmno"]


def manifest(number: int, label: str) -> dict[str, Any]:
    return {
        "stage": "Bitext",
        "label": label,
        "counts": {"read": number},
        "seconds": float(number),
        "peak_memory_mib": number * 300,
        "finished": "2026",
        "tools": {},
        "commit": "0123",
    }


def shown(system: str) -> list[ShownLine]:
    texts = [EVIL, LONG, "ذهبت إلى السوق", "我去市场买菜"]
    return [
        ShownLine("ind-jav", str(n), text, text, f"{text} {system}", 50.0 + n)
        for n, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a page of real figures in five languages, with text that tries to be markup."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    findings = Findings(
        load_experiment("nusa"),
        Snapshot.read(SNAPSHOT).scores,
        overlaps=[],
        gaps=[],
        manifests=[manifest(n, label) for n, label in enumerate(LABELS, 1)],
        examples={system: shown(system) for system in ("gloss", "base")},
    )
    write_html(findings, path)
    return path


@pytest.fixture(scope="module", params=["made", pytest.param("tiny", marks=pytest.mark.system)])
def file(request: pytest.FixtureRequest) -> Path:
    """Return the made page, then that of a study that ran."""
    if request.param == "made":
        return Path(request.getfixturevalue("made"))
    study: Study = request.getfixturevalue("tiny_study")
    (path,) = study.store.glob("Report/*/report.html")
    return path


@pytest.fixture
def page(browser: Browser, made: Path) -> Iterator[Page]:
    found = browser.new_page(viewport=DESK)
    found.goto(made.as_uri())
    yield found
    found.close()


def column(page: Page, title: str, number: int) -> list[str]:
    """Return the cells of a column that can be seen, of the table under a summary."""
    summary = page.locator("summary", has_text=re.compile(f"^{re.escape(title)}$"))
    rows = summary.locator("..").locator("tbody tr")
    return [row.locator("td").nth(number).inner_text() for row in rows.all() if row.is_visible()]


def unfold(page: Page, title: str) -> Any:
    """Open the part under a summary with just this title; return it."""
    summary = page.locator("summary", has_text=re.compile(f"^{re.escape(title)}$"))
    summary.click()
    return summary.locator("..")


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")])
def test_a_page_is_quiet_asks_nobody_and_shuts_nobody_out(
    browser: Browser, file: Path, size: Any, scheme: Any
) -> None:
    said: list[str] = []
    asked: list[str] = []
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert grave_barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert (said, asked) == ([], [file.as_uri()])
    page.close()


def test_the_first_screen_answers_without_scrolling(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(file.as_uri())
    first = page.locator(".first").first
    parts = [*first.locator("table.answers tbody tr").all(), first.locator("svg.chart")]
    assert len(parts) >= 2
    for part in parts:
        box = part.bounding_box()
        assert box
        assert 0 <= box["x"] < box["x"] + box["width"] <= DESK["width"]
        assert 0 <= box["y"] < box["y"] + box["height"] <= DESK["height"]
    page.close()


def test_every_chart_is_drawn_with_a_name(browser: Browser, file: Path) -> None:
    page = browser.new_page(viewport=DESK)
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    charts = page.get_by_role("img").all()
    assert len(charts) >= 2
    for chart in charts:
        assert chart.get_attribute("aria-label")
        box = chart.bounding_box()
        assert box
        assert min(box["width"], box["height"]) > 50
    page.close()


def test_a_click_sorts_figures_as_figures_and_words_as_words(page: Page) -> None:
    part = unfold(page, "Stages")
    memory = part.get_by_role("button", name="peak memory (MiB)")
    memory.click()
    memory.click()
    assert column(page, "Stages", 3) == [f"{n * 300:,}" for n in range(15, 0, -1)]
    head = part.get_by_role("columnheader", name="peak memory (MiB)")
    assert head.get_attribute("aria-sort") == "descending"
    label = part.get_by_role("button", name="label")
    label.focus()
    page.keyboard.press("Enter")
    assert column(page, "Stages", 1) == sorted(LABELS)
    assert head.get_attribute("aria-sort") is None


def test_a_long_table_is_filtered_and_comes_back(page: Page) -> None:
    box = unfold(page, "Stages").get_by_role("searchbox", name="show rows with")
    box.fill("4,5")
    assert column(page, "Stages", 3) == ["4,500"]
    box.fill("nothing has this")
    assert column(page, "Stages", 3) == []
    box.fill("")
    assert len(column(page, "Stages", 3)) == len(LABELS)


def test_text_of_a_corpus_stays_text(page: Page) -> None:
    examples = unfold(page, "ind → jav")
    cells = examples.locator("tbody tr").first.locator("td")
    assert cells.nth(0).inner_text() == EVIL
    assert cells.nth(2).inner_text().endswith(f"{EVIL} gloss")
    assert page.locator("img").count() == 0
    assert page.evaluate("typeof hit") == "undefined"


def test_right_to_left_text_runs_so_and_a_long_word_is_broken(page: Page) -> None:
    examples = unfold(page, "ind → jav")
    rows = examples.locator("tbody tr")
    text = rows.nth(2).locator("td").first
    assert text.evaluate("cell => getComputedStyle(cell).direction") == "rtl"
    box = rows.nth(1).locator("td").first.bounding_box()
    assert box
    assert box["width"] < 600


def test_without_scripts_all_can_be_read(browser: Browser, made: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(made.as_uri())
    assert page.get_by_role("list").first.is_visible()
    part = unfold(page, "Stages")
    assert part.get_by_role("cell", name="4,500").is_visible()
    context.close()


def test_paper_shows_what_is_folded_and_no_buttons_to_press(page: Page) -> None:
    page.emulate_media(media="print")
    assert column(page, "Stages", 3)[-1] == "4,500"
    assert not page.get_by_role("navigation").is_visible()
    assert not page.get_by_role("searchbox").first.is_visible()
