"""The benchmarks at tiny size. Nothing here depends on time."""

import json
from pathlib import Path

import pytest
from pytest import approx

from benchmarks import measuring, runs, throughput
from runs.request import read_request

# The program of another checkout, as far as a benchmark sees it.
OTHER = """
import sys
if "fail" in sys.argv: sys.exit("task.py: failed: the disk is full")
for step in [] if "--quiet" in sys.argv else (0, 1, 2): print(f"step {step}/2  test %: id 9.00")
"""


@pytest.fixture
def other(tmp_path, monkeypatch) -> Path:
    """A checkout with another program, below the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "task.py").write_text(OTHER)
    return tmp_path / "other"


def check_output(name: str, output: str) -> dict:
    """Fails where the output does not tell the conditions; returns the tables of the JSON file."""
    result = json.loads(Path("log", "benchmarks", f"{name}.json").read_text())
    assert result["command"].startswith(f"python -m benchmarks.{name} --repeats 2")
    facts = ("command", "date", "machine", "versions", "measured")
    assert list(result) == [*facts, "tables"]
    assert output.startswith("\n".join(result[fact] for fact in facts))
    for title, table in result["tables"].items():
        assert measuring.format_table(title, table) in output
    return result["tables"]


def test_throughput(data_dir, tmp_path, capsys, monkeypatch):
    from benchmarks import limit

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(limit, "ROWS", 8)
    monkeypatch.setattr(limit, "ARRAY", 16)
    tiny = ["--repeats", "2", "--steps", "1", "--batch", "2", "--filters", "8"]
    assert throughput.main([*tiny, "--data-dir", str(data_dir)]) == 0
    tables = check_output("throughput", capsys.readouterr().out)
    rows = {title: list(table) for title, table in tables.items()}
    assert rows == {
        "speed": ["training, steps/s", "evaluation, images/s"],
        "machine": ["products, GFLOP/s", "memory, GB/s"],
    }
    for row in tables["speed"].values():
        assert row["times Keras"] == measuring.ratios(row["program"], row["Keras"])
        assert row["of the limit"] == measuring.ratios(row["program"], row["limit"])


def test_runs(data_dir, other, capsys):
    tiny = ["--tasks", "id", "--batch", "2", "--filters", "1", "--test-frequency", "1"]
    given = ["--repeats", "2", "--max-steps", "2", "--against", "other"]
    assert runs.main([*given, *tiny, "--data-dir", str(data_dir)]) == 0
    ((title, table),) = check_output("runs", capsys.readouterr().out).items()
    assert title == "--max-steps 2" and len(table) == 6
    for quantity, row in table.items():
        assert all(value > 0 for values in row.values() for value in values), quantity
        assert row["ratio"] == measuring.ratios(row["here"], row["against"])


def test_results_by_hand():
    assert measuring.ratios([6.0, 1.0], [3.0, 2.0]) == [2.0, 0.5]
    assert measuring.format_values([3.0, 1.0, 2000.0]) == "3.00 (1.00 to 2,000.00)"
    assert measuring.format_table("x", {"one": {"a": [2.0]}, "b": {"a": [300.0]}}) == (
        "x    a\none  2.00 (2.00 to 2.00)\nb    300 (300 to 300)"
    )
    row = throughput.make_row(10, [2.0], [5.0], [1.0])
    assert [*row.values()] == [[5.0], [2.0], [2.5], [10.0], [0.5]]
    lines = [(1.0, "tasks  id"), (4.0, "step 0/30"), (7.0, "step 10/30  trained id")]
    assert [*runs.timings(lines).values()] == [4.0, 7.0, 10 / 3]
    assert [*runs.timings([*lines, (8.0, "step 30/30")]).values()] == [4.0, 7.0, 20.0]


def test_the_limit_by_hand():
    from benchmarks.limit import limit_seconds

    _, settings = read_request(["--tasks", "id", "--batch", "100"])
    convolution, output = 2 * 100 * 28 * 28 * 64 * 75 / 1e9, 2 * 100 * 14 * 14 * 64 * 10 / 1e9
    traffic = 2 * 4 * 100 * 28 * 28 * 64 / 1e9
    assert limit_seconds(settings, 100, True, [1.0, 2.0], [4.0, 8.0]) == approx(
        [(2 * convolution + 3 * output) / n + 2 * traffic / (4 * n) for n in (1, 2)]
    )
    evaluated = limit_seconds(settings, 100, False, [1.0], [4.0])
    assert evaluated == approx([convolution + output + traffic / 4])


def test_measured_in_turn_and_once_before():
    called = []
    calls = {"a": lambda: called.append("a"), "b": lambda: called.append("b")}
    seconds = throughput.measure_in_turn(calls, repeats=2)
    assert called == ["a", "b"] * 3 and [len(values) for values in seconds.values()] == [2, 2]


@pytest.mark.parametrize(
    ("main", "arguments", "code", "message"),
    [
        (throughput.main, ["--data-dir", "nowhere"], 2, "--data-dir: there is no folder nowhere"),
        (throughput.main, ["--norm", "lrn"], 2, "--norm: Keras's network is fixed"),
        (runs.main, ["--against", "nowhere"], 2, "--against: there is no task.py in nowhere"),
        (runs.main, ["--norm", "x"], 2, "benchmarks.runs: error: argument --norm: invalid choice"),
        (runs.main, ["--dry-run"], 2, "printed no evaluations"),
        (runs.main, ["fail"], 1, "failed: exit code 1: the disk is full"),
    ],
)
def test_errors_are_one_line(main, arguments, code, message, capsys, other, monkeypatch):
    if message.endswith("full"):
        monkeypatch.setattr(runs, "ROOT", other)
    assert main(arguments) == code
    output = capsys.readouterr()
    assert output.out == "" and output.err.count("\n") == 1 and message in output.err
