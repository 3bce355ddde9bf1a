"""The terminal of a run, wide and narrow, and the plain lines in its place."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import redirect_stdout
from io import StringIO
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.summary import summarize
from runs.display import COLUMNS, METRICS, Display, percent
from runs.history import Evaluation
from settings import Settings
from tasks.schedule import Cycle
from tests.support.command import ROOT
from tests.support.datasets import write_kaggle, write_mnist
from tests.support.fuzzing import cases
from tests.support.histories import make_history
from tests.support.names import FRAGMENTS, is_plain, names

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run_in_terminal(columns, *arguments):
    """Runs the command in a terminal of that width; returns the exit code and all its output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "CI")}
    process = subprocess.Popen(
        [sys.executable, "task.py", *map(str, arguments)],
        cwd=ROOT,
        env={**environment, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    return process.wait(), written.decode()


@pytest.mark.parametrize("columns", [100, 44])
def test_a_terminal_shows_a_bar_and_the_tasks_accuracies(tmp_path, columns):
    write_mnist(tmp_path / "mnist")
    write_kaggle(tmp_path / "dogs")
    code, written = run_in_terminal(
        columns,
        *("--data-dir", tmp_path, "--log-dir", tmp_path / "log", "--tasks", "dog", "id"),
        *("--max-steps", "400", "--task-time", "100", "--filters", "2", "--batch", "5"),
    )
    assert code == 0, written
    text = ESCAPE.sub("", written)
    assert "━" in text
    assert re.search(r"\d+/400", text)
    assert re.search(r"evaluated at [1-4]00, %:\s+dog\s+\d+\.\d\d\s+id\s+\d+\.\d\d", text)
    assert not re.search(r"^step \d+/", text, re.MULTILINE)  # the plain lines are for files
    assert "forgetting" in text.rpartition("━")[2]  # the table takes the place of the bar
    *lines, last, _ = re.split(r"[\r\n]+", text)
    assert max(map(len, lines)) <= columns
    assert last.startswith("everything is in ")  # in one piece, to be copied


@pytest.mark.parametrize("trained", [None, 19])
def test_a_plain_line_of_many_tasks_names_the_first(trained, capsys):
    names = [f"cifar100:aquatic_mammals_{number}" for number in range(20)]
    display = Display(quiet=False, task_names=names)
    with display.training(step=0, max_steps=10**10):
        display.evaluation(Evaluation(10**10, trained, (1.0,) * 20, (2.3,) * 20))
    line = capsys.readouterr().out
    assert len(line) < 200
    assert f"{names[0]} 100.00  " in line
    more = int(re.search(r"  and (\d+) more  mean 100\.00  \d+ steps/s\n$", line)[1])
    assert line.count(" 100.00  ") == 20 - more + 1  # and the mean


def test_percent():
    assert [percent(each) for each in (0.98765, 1.0, None)] == ["98.77", "100.00", "–"]


@pytest.mark.parametrize("tasks", [("id", "dog"), ("id", "cifar100:aquatic_mammals")])
def test_no_number_of_the_final_table_is_cut(tasks, monkeypatch, capsys):
    schedule = Cycle(2, 9)
    shares = {0: (0.1, 0.1), 9: (0.167, 1.0), 18: (0.1, 0.5), 27: (0.2, 0.3)}
    summary = summarize(make_history(schedule, shares), Settings().replace(tasks=tasks), schedule)
    rows = [(row, COLUMNS) for row in (*summary["tasks"], summary["mean"])]
    values = [row[name] for row, names in [*rows, (summary["metrics"], METRICS)] for name in names]
    assert values[-1] is not None and None in values
    numbers = sorted(percent(value) for value in values if value is not None)
    monkeypatch.setattr("runs.display.is_terminal", lambda: True)
    for columns in range(7, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        Display(quiet=False, task_names=tasks).results(summary, drawn=False)
        text = ESCAPE.sub("", capsys.readouterr().out)
        assert sorted(re.findall(r"\d+\.\d\d", text)) == numbers, text
        assert max(map(len, text.splitlines())) <= columns


@pytest.mark.parametrize(("columns", "lines"), [(77, 1), (60, 3)])
def test_the_metrics_that_say_most_stand_below_the_table(columns, lines, monkeypatch, capsys):
    schedule = Cycle(2, 9)
    history = make_history(schedule, {0: (0.1, 0.1), 9: (0.9, 0.2), 18: (0.4, 0.8)})
    summary = summarize(history, Settings().replace(tasks=("id", "ref")), schedule)
    monkeypatch.setattr("runs.display.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    Display(quiet=True, task_names=("id", "ref")).results(summary, drawn=False)
    text = ESCAPE.sub("", capsys.readouterr().out)
    table, _, _ = text.partition("average accuracy")
    expected = ["average accuracy 60.00", "forgetting 50.00", "forgetting at the last return –"]
    assert text.splitlines()[-lines:] == (["  ".join(expected)] if lines == 1 else expected)
    assert [line.split() for line in table.splitlines()[-3:]] == [
        ["id", "90.00", "40.00", "90.00", "50.00"],
        ["ref", "80.00", "80.00", "–", "–"],
        ["mean", "85.00", "60.00", "90.00", "50.00"],
    ]


def show_run(tasks, terminal):
    """Returns all that the display of a run on tasks of these names prints."""
    output = StringIO()
    with redirect_stdout(output), patch("runs.display.is_terminal", lambda: terminal):
        display = Display(quiet=False, task_names=tasks)
        display.announce([("tasks", name) for name in tasks])
        evaluation = Evaluation(9, 0, (0.5,) * len(tasks), (2.3,) * len(tasks))
        with display.training(step=0, max_steps=9):
            display.progress(9, (0,))
            display.evaluation(evaluation)
        settings = Settings().replace(tasks=tuple(tasks))
        display.results(summarize([evaluation], settings, Cycle(len(tasks), 9)), drawn=False)
        display.say(f"everything is in {tasks[0]}")
        display.stopped(9, f"--resume {tasks[0]}")
    return output.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
@cases(20)
@given(tasks=st.lists(names(), min_size=1, max_size=4))
@example(list(FRAGMENTS))
def test_names_do_not_control_the_terminal(terminal, tasks):
    text = show_run(tasks, terminal)
    if terminal:  # rich's own sequences: colors, the cursor, and lines drawn anew
        text = ESCAPE.sub("", text).replace("\r", "\n")
    assert is_plain(text)


@pytest.mark.parametrize("terminal", [False, True])
def test_names_are_no_markup(terminal):
    for name in ("[red]r[/red]", "[/]", "[link=http://e.example]l[/link]", ":dog:"):
        text = ESCAPE.sub("", show_run([name], terminal))
        assert text.count(name) >= (7 if terminal else 6)
