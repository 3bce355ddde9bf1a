"""results.csv and summary.csv, read by the standard reader."""

import csv
import io
from pathlib import Path

import pytest

from reports.export import results_csv, summary_csv
from reports.metrics import METRICS
from tests.support.run_folders import make_groups

# Trained in turn: dog, id, dog.
RUN = {"accuracies": [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8], [0.7, 1 / 3]], "task_time": 100}
OTHER = {"accuracies": [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8], [0.8, 0.5]], "task_time": 100}


def read(text: str) -> list[dict[str, str]]:
    """Returns the rows by their columns, checked to have as many fields as the header."""
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert {len(row) for row in rows} == {len(set(rows[0]))}
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_results_have_a_row_for_each_run_in_full_precision(tmp_path: Path) -> None:
    text = results_csv(make_groups(tmp_path, RUN, OTHER, RUN | {"seed": 0, "optimizer": "adam"}))
    assert text.count("\r\n") == text.count("\n") == 4
    first, second, adam = read(text)
    assert first["folder"] == str(tmp_path / "0") and first["finished"] == "true"
    assert [row["group"] for row in (first, second, adam)] == ["sgd", "sgd", "adam"]
    assert [row["seed"] for row in (first, second)] == ["0", "1"] and first["steps"] == "300"
    assert (adam["optimizer"], adam["task_time"], adam["tasks"]) == ("adam", "100", "dog id")
    assert float(first["final id"]) == 1 / 3 and float(first["final dog"]) == 0.7
    assert float(first["average_accuracy"]) == (0.7 + 1 / 3) / 2
    assert float(first["forgetting_per_return"]) == 0.5
    assert list(first)[-len(METRICS) :] == list(METRICS)


def test_the_summary_by_hand(tmp_path: Path) -> None:
    (row,) = read(summary_csv(make_groups(tmp_path, RUN, OTHER)))
    found = {name.removeprefix("final dog_"): row[name] for name in row if "final dog_" in name}
    # 0.7 and 0.8: a deviation of 0.1 / √2, an error of 0.05, and so 0.75 ± 12.706 · 0.05.
    expected = {"n": 2, "mean": 0.75, "sd": 0.1 / 2**0.5, "se": 0.05}
    expected |= {"ci95_low": 0.75 - 0.635310, "ci95_high": 0.75 + 0.635310}
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        expected, abs=1e-6
    )
    assert row["n"] == "2" and row["forgetting_n"] == "2" and row["group"] == "dog id"


def test_what_does_not_apply_is_empty(tmp_path: Path) -> None:
    alone = {"accuracies": [[0.1], [0.5]], "tasks": ["id"]}
    cut = {"accuracies": RUN["accuracies"][:2], "finished": False, "max_steps": 300}
    groups = make_groups(tmp_path, RUN, RUN | cut, alone | {"schedule": "random"})
    rows = read(results_csv(groups))
    assert [row["final dog"] for row in rows][-1] == "" == rows[-1]["forgetting"]
    assert {row["folder"]: row["finished"] for row in rows}[str(tmp_path / "1")] == "false"
    several, single = (read(summary_csv(groups))[index] for index in (0, -1))
    assert several["n"] == "1" and float(several["average_accuracy_mean"]) > 0.5
    assert several["average_accuracy_sd"] == several["average_accuracy_ci95_low"] == ""
    assert single["final dog_n"] == "0" and single["final dog_mean"] == ""


def test_no_name_breaks_a_row_or_is_a_formula(tmp_path: Path) -> None:
    names = ['=1+1|"a",b', "line\r\nbreak\x00\ud800"]
    groups = make_groups(tmp_path, RUN | {"tasks": names, "weights": "@SUM(A1)"})
    text = results_csv(groups)
    (row,) = read(text)
    assert row["weights"] == "'@SUM(A1)" and row["tasks"].startswith("'=1+1")
    assert all(line.isprintable() for line in text.split("\r\n"))
    assert read(summary_csv(groups)) and text.encode()
