"""TensorBoard's pages of some runs, in a browser."""

import io
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.support.command import run_here

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TASKS = ("id", "inv")
# Two seeds of one setting, and another setting.
RUNS = (("--seed", "0"), ("--seed", "1"), ("--batch", "50"))

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no browser: install Chromium (Debian: apt-get install chromium)"
)


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The address of a TensorBoard that shows runs on drawn data."""
    log_dir = tmp_path_factory.mktemp("board")
    for flags in RUNS:
        result = run_here(
            *("--fake-data", "--tasks", *TASKS, "--max-steps", "60", "--task-time", "20"),
            *("--test-frequency", "10", "--filters", "4", "--quiet", "--log-dir", log_dir),
            *("--heads", "multi", *flags),
        )
        assert result.returncode == 0, result.stderr
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", "--logdir", log_dir, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        wait_for_runs(address)
        yield address
    finally:
        server.terminate()
        server.wait()


def wait_for_runs(address, seconds=90):
    """Waits until TensorBoard answers and has read the runs."""
    curves = (3 + 2 * len(TASKS)) * len(RUNS)
    for _ in range(seconds * 2):
        try:
            with urllib.request.urlopen(f"{address}data/runs") as answer:
                if len(json.load(answer)) >= curves:
                    return
        except OSError:
            pass
        time.sleep(0.5)
    pytest.fail(f"TensorBoard did not show the runs' {curves} folders within {seconds} s")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-gpu"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser, board):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(board)
    yield page
    page.close()


@pytest.mark.parametrize(("place", "kind"), [(0, "test"), (1, "train")])
def test_the_first_chart_is_of_tests_and_the_second_of_training(page, place, kind):
    """Looks in the chart for each folder's curve in the color that the key gives it."""
    card = page.locator("card-view").nth(place)
    expect(card.locator(".tag")).to_have_text(f"accuracy/{kind}", timeout=60_000)
    rows = card.locator("tb-data-table-content-row")
    expect(rows).to_have_count((1 + len(TASKS)) * len(RUNS), timeout=60_000)
    names = [re.sub(r"\s.*", "", text.strip()) for text in rows.all_inner_texts()]
    kinds = [kind, *(f"{kind}_task_{i}_{name}" for i, name in enumerate(TASKS))]
    assert sorted(name.rpartition("/")[2] for name in names) == sorted(kinds * len(RUNS))
    missing = dict(zip(names, rows.evaluate_all(COLORS), strict=True))
    chart = card.locator("line-chart")
    chart.scroll_into_view_if_needed()
    for _ in range(40):  # a thread draws it, some time after it is there
        image = Image.open(io.BytesIO(chart.screenshot())).convert("RGB")
        drawn = np.asarray(image, dtype=int).reshape(-1, 3)
        missing = {name: c for name, c in missing.items() if not has_color(drawn, c)}
        if not missing:
            return
        page.wait_for_timeout(500)
    pytest.fail(f"no curve is drawn in the color of {missing}")


def test_each_runs_figure_is_beside_the_charts(page):
    figures = page.locator("card-view", has_text="accuracy/turns").locator("img")
    expect(figures).to_have_count(len(RUNS), timeout=60_000)
    figures.first.scroll_into_view_if_needed()
    page.wait_for_function("image => image.naturalWidth == 800", arg=figures.first.element_handle())


def test_examples_and_confusions_are_among_the_images(board, page):
    page.goto(f"{board}#images")
    for tag in ("pictures/confusion", "pictures/examples"):
        headings = page.locator("tf-image-loader", has_text=tag)
        expect(headings).to_have_count(len(TASKS) * len(RUNS), timeout=60_000)


def test_hparams_has_a_row_for_each_setting(board, page):
    page.goto(f"{board}#hparams")
    cells = page.locator("vaadin-grid-cell-content")
    batches = cells.filter(has_text=re.compile(r"^\s*(100\.00|50\.000)\s*$"))
    expect(batches).to_have_count(2, timeout=60_000)


def test_the_graph_has_the_trunk_and_each_tasks_head(board, page):
    page.goto(f"{board}#graphs")
    nodes = page.locator("g.nodes > g.node")
    expect(nodes.first).to_be_attached(timeout=60_000)
    names = nodes.evaluate_all("nodes => nodes.map(node => node.dataset.name)")
    assert {"trunk", *(f"head_{task}" for task in TASKS)} <= {*names}
    assert not [name for name in names if "sequential" in name]


# The color of each row's dot, as [red, green, blue].
COLORS = """rows => rows.map(row => {
    const dots = [...row.querySelectorAll('*')].map(e => getComputedStyle(e).backgroundColor);
    return dots.find(c => c.startsWith('rgb(')).match(/\\d+/g).map(Number);
})"""


def has_color(drawn, color, least=10):
    """Tells whether enough pixels, [N, 3] int, have the color but for a line's smoothed edges."""
    return (abs(drawn - color).max(axis=1) < 25).sum() >= least
