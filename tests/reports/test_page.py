"""report.html, in a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

import report
from tests.support.browser import needs_browser, open_browser
from tests.support.command import run_here
from tests.support.run_folders import write_run

pytestmark = needs_browser

SCRIPT = "<script>document.title = 1</script><img src=http://e.example/i.png onerror=alert(1)>"
WIDTHS = (360, 1200)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report on runs with the worst names and numbers to sort."""
    folder = tmp_path_factory.mktemp("page")
    finals = {5: 0.7, 10: 0.09, 200: 0.8}
    for time, final in finals.items():
        accuracies = [[0.1, 0.1], [0.5, 0.2], [final, 0.3]]
        facts = {"tasks": [SCRIPT, "w" * 200], "task_time": 20 * time}
        write_run(folder / "log" / f"{SCRIPT.replace('/', '')[:99]}{time}", accuracies, **facts)
    result = run_here(
        *(folder / "log", "--output", folder / "out", "--title", SCRIPT), main=report.main
    )
    assert result.returncode == 0, result.stderr
    return (folder / "out" / "report.html").as_uri()


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    """The page, with all that the browser complains of and fetches in the list `events`."""
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": WIDTHS[0], "height": 800})
        page.events = []
        page.on("console", lambda message: page.events.append(message.text))
        page.on("pageerror", lambda error: page.events.append(str(error)))
        page.on("dialog", lambda dialog: page.events.append(dialog.message))
        page.on("request", lambda request: page.events.append(request.url))
        page.goto(address)
        yield page


def test_the_page_loads_itself_alone_and_runs_no_script_of_others(page: Page, address: str) -> None:
    fetched = [event for event in page.events if not event.startswith("data:image/png;")]
    assert fetched == [address]
    assert page.title() == page.locator("h1").inner_text() == SCRIPT
    sizes = page.locator("img").evaluate_all("all => all.map(each => each.naturalWidth)")
    assert len(sizes) > 3 and set(sizes) == {1600}


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_page_but_in_a_box(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    outside = """all => all.filter(each => !each.closest('.scroll') &&
        each.getBoundingClientRect().right > innerWidth).map(each => each.outerHTML)"""
    assert page.locator("body *").evaluate_all(outside) == []


def test_a_heading_sorts_by_numbers_and_back_by_click_and_keyboard(page: Page) -> None:
    table = page.locator("table").first
    rows = table.locator("tbody tr")
    names = [f"task time {time}" for time in (100, 200, 4000)]

    def column(index: int) -> list[str]:
        return [row.split("\t")[index].strip() for row in rows.all_inner_texts()]

    heading = table.get_by_role("button", name="final average accuracy, %")
    heading.click()
    assert column(3) == ["19.50", "50.00", "55.00"]
    heading.focus()
    page.keyboard.press("Enter")
    assert column(3) == ["55.00", "50.00", "19.50"]
    assert table.locator("th[aria-sort=descending]").count() == 1
    table.get_by_role("button", name="runs").click()
    assert column(0) == names  # as numbers too
    # A dash is no number, and comes last both ways.
    forgetting = table.get_by_role("button", name="forgetting, %")
    for _ in range(2):
        forgetting.click()
        assert column(4)[-1] == "–"
