"""floyd-run.sh: its arguments for `floyd`, and its inner command."""

import json
import os
import shlex
import subprocess
import sys

import pytest

from runs.request import read_request
from tests.support.command import ROOT

INNER_COMMAND = (
    "python task.py --log-dir /output --data-dir /data-mnist --data-dog-dir /data-dog --gpu "
    "--task-time 2000 --max-steps 30000 --input-style combined --tasks dog id ref"
)


@pytest.fixture
def arguments(tmp_path):
    """A function that runs floyd-run.sh and returns the arguments it gives to `floyd`."""
    stand_in = tmp_path / "bin" / "floyd"
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    stand_in.chmod(0o755)

    def run(*further):
        path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"
        command = [ROOT / "floyd-run.sh", *further]
        environment = {**os.environ, "PATH": path}
        output = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
        return json.loads(output)

    return run


def test_the_arguments_for_floyd(arguments):
    *options, command = arguments()
    assert options[:5] == ["run", "--tensorboard", "--gpu", "--env", "tensorflow-2.1"]
    assert options[5::2] == ["--data", "--data"]
    assert [data.partition(":")[2] for data in options[6::2]] == ["/data-mnist", "/data-dog"]
    assert command == INNER_COMMAND


def test_the_inner_command_is_one_that_task_py_takes(arguments):
    inner = shlex.split(arguments("--fake-data")[-1])
    assert inner[:2] == ["python", "task.py"]
    _, settings = read_request(inner[2:])
    assert settings.device.gpu
    assert settings.tasks.tasks == ("dog", "id", "ref")
    assert (settings.tasks.task_time, settings.tasks.max_steps) == (2_000, 30_000)


def test_further_arguments_reach_the_inner_command(arguments):
    inner = arguments("--fake-data", "--seed", "3", "--log-dir", "a folder/$HOME")[-1]
    assert inner.startswith(INNER_COMMAND)
    _, settings = read_request(shlex.split(inner)[2:])
    assert settings.training.seed == 3
    assert str(settings.log.log_dir) == "a folder/$HOME"


def test_the_inner_command_is_the_manuals():
    assert INNER_COMMAND in " ".join((ROOT / "docs" / "runs.md").read_text().split())


def test_without_floyd():
    result = subprocess.run(
        ["bash", ROOT / "floyd-run.sh"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert "floyd is not installed" in result.stderr
