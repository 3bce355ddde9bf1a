"""floyd-run.sh: its arguments to the real floyd-cli's parser, and its inner command to ours."""

import json
import os
import re
import shlex
import subprocess
import sys
import venv

import pytest

from runs.request import read_request
from tests.support.command import ROOT

# floyd-cli is of 2019 and imports with libraries of its time only, so it has its own environment.
PACKAGES = ("floyd-cli==0.11.17", "urllib3<2", "requests-toolbelt<1", "setuptools<81")
INNER_COMMAND = (
    "python task.py --log-dir /output --data-dir /data-mnist --data-dog-dir /data-dog --gpu "
    "--task-time 2000 --max-steps 30000 --input-style combined --tasks dog id ref"
)
# Parses as `floyd run` would, without the call home that the program makes first.
PARSE = """
import json, re, sys
from floyd.cli.run import DATAMOUNT_PATTERN, run
context = run.make_context("run", sys.argv[1:])
assert all(re.match(DATAMOUNT_PATTERN, data) for data in context.params["data"])
print(json.dumps(context.params))
"""


@pytest.fixture(scope="module")
def floyd_python(tmp_path_factory):
    """The Python of an environment that has floyd-cli."""
    folder = tmp_path_factory.mktemp("floyd")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


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


def test_the_real_parser_takes_the_arguments(floyd_python, arguments):
    program, *rest = arguments()
    assert program == "run"
    parsed = json.loads(
        subprocess.run(
            [floyd_python, "-c", PARSE, *rest], check=True, capture_output=True, text=True
        ).stdout
    )
    assert parsed["gpu"] is True
    assert parsed["tensorboard"] is True
    assert len(parsed["env"]) == 1
    assert [re.sub(".*:", "", data) for data in parsed["data"]] == ["/data-mnist", "/data-dog"]
    assert parsed["command"] == [INNER_COMMAND]


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


def test_the_inner_command_is_the_manuals(arguments):
    assert INNER_COMMAND in " ".join((ROOT / "docs" / "runs.md").read_text().split())
    assert arguments()[-1] == INNER_COMMAND


def test_without_floyd():
    result = subprocess.run(
        ["bash", ROOT / "floyd-run.sh"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert "floyd is not installed" in result.stderr
