"""The schedulers' examples in docs/clusters.md, run as they stand with stubs for schedulers."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

import sweep
from tests.support.command import ROOT, run_here

PAGE = (ROOT / "docs" / "clusters.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE.partition("## Any other scheduler")[2], re.DOTALL)
EXAMPLES = {re.search("parallel|sbatch|kubectl", block)[0]: block for block in BLOCKS}

# A task.py writes its process and its arguments, a line each, into a file for itself.
STUBS = {
    "python": 'if [ "$1" = sweep.py ]; then cat list; else printf "%s\\n" $$ "$@" > ended.$$; fi',
    "parallel": "exec sh",
    "sbatch": 'printf "%s\\n" "$@" > options',
    "kubectl": 'if [ "$1" = apply ]; then cat > job; fi',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the list of a sweep whose commands need their quotes, and with the stubs."""
    flags = ("--fake-data", "--tasks", "id", "--seeds", "0-1", "--vary", "network=fc,fc fc")
    flags += ("--log-dir", tmp_path / "it's a $HOME")
    listed = run_here(*flags, "--list", main=sweep.main)
    assert listed.stdout.count("\n") == 4
    (tmp_path / "list").write_text(listed.stdout)
    (tmp_path / "stubs").mkdir()
    for name, script in STUBS.items():
        path = tmp_path / "stubs" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return tmp_path


def run_shell(folder: Path, script: str, **variables: str) -> int:
    """Runs a script where the stubs come first, and returns the process that it was."""
    path = f"{folder / 'stubs'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path} | variables
    process = subprocess.Popen(["sh", "-c", script], cwd=folder, env=environment)
    assert process.wait(timeout=20) == 0
    return process.pid


def assert_ended(folder: Path, processes: list[int] | None = None) -> None:
    """Asserts that each line was run once, word for word, and in these processes."""
    ended = [path.read_text().splitlines() for path in folder.glob("ended.*")]
    wanted = [shlex.split(line)[1:] for line in (folder / "list").read_text().splitlines()]
    assert sorted(words for _, *words in ended) == sorted(wanted)
    if processes:
        assert sorted(int(process) for process, *_ in ended) == sorted(processes)


def test_the_example_of_parallel_runs_each_line(folder):
    run_shell(folder, EXAMPLES["parallel"])
    assert_ended(folder)


def test_the_example_of_slurm_runs_each_line_in_the_process_that_is_signaled(folder):
    run_shell(folder, EXAMPLES["sbatch"])
    options = (folder / "options").read_text().splitlines()
    assert options[0] == "--array=1-4"
    wrapped = options[options.index("--wrap") + 1]
    numbers = map(str, range(1, 5))
    assert_ended(folder, [run_shell(folder, wrapped, SLURM_ARRAY_TASK_ID=each) for each in numbers])


def test_the_example_of_kubernetes_runs_each_line_in_the_process_that_is_signaled(folder):
    run_shell(folder, EXAMPLES["kubectl"])
    job = (folder / "job").read_text()
    assert "completions: 4\n" in job
    quoted = re.search(r"command: \[sh, -c, '(.*)'\]\n", job)[1]
    command = quoted.replace("''", "'").replace("/runs/runs.txt", "runs.txt")
    indices = map(str, range(4))
    assert_ended(folder, [run_shell(folder, command, JOB_COMPLETION_INDEX=i) for i in indices])
