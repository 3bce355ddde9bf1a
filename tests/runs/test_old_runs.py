"""Runs of the program before its settings were typed: reported, evaluated and resumed.

`old/<name>` is a run on drawn data, and `old/<name>-continued.jsonl` its `metrics.jsonl` after the
program that made it had resumed it. `id-ref` had ended after 80 steps; `dog-inv` was stopped after
50 of 400.
"""

import json
import shutil
from pathlib import Path

import pytest

import report
from tests.support.command import run_command, run_here
from tests.support.reading import read_json, read_metrics

OLD = Path(__file__).with_name("old")
NAMES = ("id-ref", "dog-inv")


@pytest.fixture(params=NAMES)
def old_run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of an old run."""
    return Path(shutil.copytree(OLD / request.param, tmp_path / request.param))


def test_old_runs_are_reported(tmp_path: Path) -> None:
    result = run_here(*(OLD / name for name in NAMES), "--output", tmp_path, main=report.main)
    assert (result.returncode, result.stderr) == (0, "")
    table = (tmp_path / "report.md").read_text()
    for text in ("48.40", "33.90", "10.80", "unfinished: 40 of 400 steps"):
        assert text in table


def test_old_runs_are_evaluated(old_run: Path) -> None:
    # The checkpoint of the last evaluation; dog-inv has one of ten more steps.
    (old_run / "checkpoints" / "ckpt-50.index").unlink(missing_ok=True)
    result = run_command(old_run, "--quiet", program=("evaluate.py",))
    assert (result.returncode, result.stderr) == (0, "")
    accuracies = [task["accuracy"] for task in read_json(old_run / "evaluation.json")["tasks"]]
    # Another processor's rounding may turn an example.
    assert accuracies == pytest.approx(read_metrics(old_run)[-1]["accuracy"], abs=0.005)


@pytest.mark.parametrize(
    ("old_run", "flags", "saved", "close_until", "tolerance"),
    [("id-ref", ("--max-steps", "160"), 80, 120, 3e-3), ("dog-inv", (), 50, 140, 3e-4)],
    indirect=["old_run"],
)
def test_old_runs_are_resumed_as_by_their_own_program(
    old_run: Path, flags: tuple[str, ...], saved: int, close_until: int, tolerance: float
) -> None:
    """The lines from before the checkpoint stay; those after it are equal up to rounding.

    Another processor rounds otherwise, and training multiplies that by ten every 40 steps or so.
    """
    result = run_command("--resume", old_run, "--quiet", *flags)
    assert (result.returncode, result.stderr) == (0, "")
    expected = (OLD / f"{old_run.name}-continued.jsonl").read_text().splitlines()
    found = (old_run / "metrics.jsonl").read_text().splitlines()
    for line, expected_line in zip(found, expected, strict=True):
        now, then = json.loads(line), json.loads(expected_line)
        assert (now["step"], now["trained"]) == (then["step"], then["trained"])
        if now["step"] < saved:
            assert line == expected_line
        elif now["step"] <= close_until:
            assert now["loss"] == pytest.approx(then["loss"], rel=tolerance)
            assert now["accuracy"] == pytest.approx(then["accuracy"], abs=0.02)
    assert read_json(old_run / "summary.json")["step"] == now["step"]
