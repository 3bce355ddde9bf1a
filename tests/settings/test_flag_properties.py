"""Any command line is refused in one line or resolves, and then it can be built and trained."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from errors import RequestError
from runs.request import read_request
from settings import Settings, flag
from tasks.resolve import choose_tasks
from tests.support.command import ROOT
from tests.support.command_lines import FILE, FLAGS, FOLDER, STACKS, command_lines
from tests.support.datasets import write_omniglot
from tests.support.fuzzing import cases

# Flags that change the computation of a step, of any network.
COMPUTED = (
    *("--tasks", "--schedule", "--joint-loss"),
    *("--standardize", "--precision", "--optimizer", "--l2"),
)
# Answers each command line, JSON in a line of its input, in a line of its output: the exit code,
# both outputs, whether the settings resolve to themselves, and the slow modules that are imported.
PROGRAM = """
import contextlib, io, json, sys
import task
from runs.request import resolve
from settings import Settings

for line in sys.stdin:
    output, errors, stable = io.StringIO(), io.StringIO(), None
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            code = task.main(json.loads(line))
            if code == 0:
                settings = Settings.from_json(json.loads(output.getvalue()))
                stable = resolve(settings) == settings
        except BaseException as error:
            code = repr(error)
    slow = [name for name in ("tensorflow", "keras") if name in sys.modules]
    print(json.dumps([code, output.getvalue(), errors.getvalue(), stable, slow]), flush=True)
"""


class Program:
    """task.py in an interpreter of its own, which answers one command line after another."""

    def __init__(self, folder: Path) -> None:
        """Starts it in `folder`."""
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def answer(self, *arguments: str) -> list:
        """Returns the answer to a command line, as PROGRAM describes it."""
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program, in a folder that holds the files that the command lines name."""
    folder = tmp_path_factory.mktemp("flags")
    write_omniglot(folder / FOLDER / "omniglot")
    write_omniglot(folder / "cache" / "multiple-tasks" / "omniglot")
    (folder / FILE).write_text("neither a folder nor weights")
    program = Program(folder)
    with program.process:
        yield program
        program.process.stdin.close()


@pytest.fixture
def restored_policy() -> Iterator[None]:
    """Restores Keras's default precision after the test."""
    yield
    import keras

    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", FLAGS)
def test_a_command_line_resolves_or_is_refused_in_one_line(name, program):
    accepted, blamed = False, FLAGS[name].bad is None

    @cases(16)
    @given(st.data(), st.booleans(), st.booleans())
    def answer(data, flawed, in_a_file):
        nonlocal accepted, blamed
        flawed = flawed and FLAGS[name].bad is not None
        arguments = given_flags = data.draw(command_lines(name, flawed))
        if in_a_file:
            text = "\n".join(map(quote, arguments))
            (program.folder / "preset.args").write_text(text, encoding="utf-8")
            arguments = ["@preset.args"]
        code, output, errors, stable, slow = program.answer(*arguments, "--dry-run")
        assert slow == []
        if code == 0:
            assert not flawed
            assert stable
            assert errors == ""
            accepted = True
        else:
            assert (code, output) == (2, "")
            assert errors.startswith("task.py: error: ")
            assert errors.count("\n") == 1
            named = re.findall(r"--[a-z0-9-]+", errors)
            # The default of --tasks can be to blame.
            assert {"--tasks", *(each.partition("=")[0] for each in given_flags)} & set(named)
            blamed = blamed or named[0] == name

    answer()
    assert accepted
    assert blamed


def test_every_flag_is_drawn():
    off = {"--no-gpu", "--no-test-at-switches"}
    assert set(FLAGS) == {flag(name) for name in Settings.declared()} | off


@pytest.mark.parametrize("network", [*STACKS, "mobilenetv2", "resnet50"])
def test_every_network_can_be_built_and_trained(network):
    train_one_step(read_request(["--image-size", "32", "--network", *network.split()])[1])


def test_what_is_accepted_can_be_built_and_trained(program, monkeypatch, restored_policy):
    monkeypatch.chdir(program.folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(program.folder / "cache"))

    @cases(20)
    @given(st.sampled_from(STACKS), st.sampled_from(COMPUTED).flatmap(command_lines))
    def build_and_train(network, arguments):
        try:
            _, settings = read_request(
                [*arguments, "--network", *network.split(), "--image-size", "8"]
            )
        except RequestError:
            reject()
        assume((settings.tasks.max_steps or 1) <= 10**6)
        train_one_step(settings)

    build_and_train()


def train_one_step(settings: Settings) -> None:
    """Builds everything that follows from the settings, and trains the last step on one example."""
    import numpy as np
    import tensorflow as tf

    from data.dataset import Dataset, Split
    from tasks.schedule import make_schedule
    from training.problem import Problem

    steps = settings.tasks.max_steps or 9  # of --epochs it is known once the data is
    settings = settings.replace(max_steps=steps, batch=1, xla=False)
    tasks = choose_tasks(settings.tasks, settings.data, quiet=True)
    size, datasets = settings.input.image_size, {}
    for name in {task.dataset for task in tasks}:
        channels = 3 if name in ("dogs", "cifar10", "cifar100") else 1
        images = np.zeros((100, size, size, channels), np.uint8)
        labels = np.arange(100, dtype=np.int32) % {"cifar100": 100, "omniglot": 5}.get(name, 10)
        datasets[name] = Dataset(Split(images, labels), Split(images, labels), (), name)
    problem = Problem(settings, tasks, datasets)
    trained = make_schedule(settings.tasks, settings.training.seed).tasks_at(steps - 1)
    loop, step = problem.loop_for(trained), tf.constant(steps - 1, tf.int64)
    update = loop.update(step, loop.batches(step, step))
    assert update.losses.shape == (len(trained),)
    images = tf.zeros((1, *problem.task_data[0].feed.train.images.shape[1:]))
    evaluated = problem.network.logits(images, range(len(tasks)), training=False)
    assert [logits.shape for logits in evaluated] == [(1, task.classes) for task in tasks]
