"""TensorBoard's page of a run, in a browser."""

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

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no browser: install Chromium (Debian: apt-get install chromium)"
)


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The address of a TensorBoard that shows a run on drawn data."""
    log_dir = tmp_path_factory.mktemp("board")
    result = run_here(
        *("--fake-data", "--tasks", *TASKS, "--max-steps", "60", "--task-time", "20"),
        *("--test-frequency", "10", "--filters", "4", "--quiet", "--log-dir", log_dir),
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
    """Waits until TensorBoard answers and has read the run."""
    curves = 2 + 2 * len(TASKS)
    for _ in range(seconds * 2):
        try:
            with urllib.request.urlopen(f"{address}data/runs") as answer:
                if len(json.load(answer)) >= curves:
                    return
        except OSError:
            pass
        time.sleep(0.5)
    pytest.fail(f"TensorBoard did not show the run's {curves} curves within {seconds} s")


@pytest.fixture
def page(board):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-gpu"],
        )
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(board)
        yield page
        browser.close()


def test_every_tasks_curve_is_drawn(page):
    """Looks in the accuracy chart for each folder's curve in the color that the key gives it."""
    card = page.locator("scalar-card").filter(has_text="accuracy").first
    rows = card.locator("tb-data-table-content-row")
    expect(rows).to_have_count(2 + 2 * len(TASKS), timeout=60_000)
    names = [
        re.sub(r"\s.*", "", text.strip()).rpartition("/")[2] for text in rows.all_inner_texts()
    ]
    assert sorted(names) == sorted(
        ["train", "test"]
        + [f"{kind}_task_{i}_{n}" for kind in ("train", "test") for i, n in enumerate(TASKS)]
    )
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


# The color of each row's dot, as [red, green, blue].
COLORS = """rows => rows.map(row => {
    const dots = [...row.querySelectorAll('*')].map(e => getComputedStyle(e).backgroundColor);
    return dots.find(c => c.startsWith('rgb(')).match(/\\d+/g).map(Number);
})"""


def has_color(drawn, color, least=10):
    """Tells whether enough pixels, [N, 3] int, have the color but for a line's smoothed edges."""
    return (abs(drawn - color).max(axis=1) < 25).sum() >= least
