"""Any command line: what --dry-run refuses cannot work, and what it accepts does.

`hypothesis` draws them out of all flags. Which of them can work is told by `rules.py`, which knows
nothing of the program's own checks.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from settings.checks import MAX_STEPS, chosen_tasks

from settings import make_parser, parse_flags
from tests.support.command import ROOT, one_line, run_command
from tests.support.command_lines import BACKBONES, FILE, FLAGS, FOLDER, SWITCH, Given, command_lines
from tests.support.datasets import write_omniglot
from tests.support.fuzzing import cases
from tests.support.rules import faults

# Answers each command line, JSON in a line of its input, in a line of its output.
PROGRAM = """
import argparse, contextlib, io, json, sys
from pathlib import Path
import task
from runs.describe import plain_settings
from settings import make_parser
from settings.checks import check_and_resolve
from runs.resume import as_flags

def resolved_again(printed):
    paths = ("data_dir", "data_dog_dir", "pickle_file", "log_dir")
    told = {n: Path(v) if n in paths and v is not None else v for n, v in printed.items()}
    settings = make_parser().parse_args(as_flags(told))
    check_and_resolve(settings)
    return plain_settings(settings)

for line in sys.stdin:
    output, errors, again = io.StringIO(), io.StringIO(), None
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            code = task.main(json.loads(line))
            again = resolved_again(json.loads(output.getvalue())) if code == 0 else None
        except SystemExit as stop:  # argparse ends the program itself
            code = stop.code
        except BaseException as error:
            code = repr(error)
    slow = [name for name in ("tensorflow", "keras") if name in sys.modules]
    print(json.dumps([code, output.getvalue(), errors.getvalue(), again, slow]), flush=True)
"""


class Program:
    """task.py in an interpreter of its own, which answers one command line after another."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where it runs."""
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
        """The exit code, both outputs, what the first resolves to, and what was imported."""
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program, in a folder that has in it what the command lines name."""
    folder = tmp_path_factory.mktemp("flags")
    write_omniglot(folder / FOLDER / "omniglot")
    write_omniglot(folder / "cache" / "multiple-tasks" / "omniglot")
    (folder / FILE).write_text("neither a folder nor weights")
    program = Program(folder)
    with program.process:
        yield program
        program.process.stdin.close()


@pytest.fixture
def float32_again() -> Iterator[None]:
    """Puts back what the last network of a test may have been built in."""
    yield
    import keras

    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("flawed", [False, True])
@pytest.mark.parametrize("flag", FLAGS)
def test_what_can_work_is_accepted_and_all_else_refused(flag, flawed, program):
    to_blame = set()

    @cases(16)
    @given(command_lines(flag, flawed), st.booleans())
    def agree(command, in_a_file):
        arguments = [text for each in command for text in each.arguments]
        if in_a_file:
            lines = (shlex.join(each.arguments) for each in command)
            (program.folder / "preset.args").write_text("\n".join(lines), encoding="utf-8")
            arguments = ["@preset.args"]
        code, output, errors, again, slow = program.answer(*arguments, "--dry-run")
        assert slow == []
        blamed = faults(command)
        to_blame.update(blamed)
        if blamed:
            assert (code, output) == (2, "")
            assert errors.startswith("task.py: error: ")
            assert errors.count("\n") == 1
            assert re.search("--[a-z0-9-]+", errors)[0] in blamed
        else:
            assert (code, errors) == (0, "")
            # A run is taken up from what it resolved to, and --epochs are steps by then.
            settings = json.loads(output)
            steps = settings["max_steps"] or MAX_STEPS
            assert again == settings | {"quiet": False, "epochs": None, "max_steps": steps}

    agree()
    assert flag in to_blame or not flawed or FLAGS[flag] is SWITCH


def test_every_flag_is_drawn():
    known = {flag for action in make_parser()._actions for flag in action.option_strings}
    assert known - set(FLAGS) == {"-h", "--help", "--list-tasks", "--dry-run", "--resume"}


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        ("--network conv fc fc --hidden-units 7 --filters 3", 0, '"hidden_units": 7'),
        ("--schedule joint --task-time 5", 2, "--task-time: --schedule joint has no turns"),
        ("--batch 100000001", 2, "--batch: expected a whole number, 1 to 100,000,000, got"),
    ],
)
def test_the_command_itself_agrees(flags, code, told):
    result = run_command(*flags.split(), "--dry-run")
    assert result.returncode == code
    assert told in (one_line(result) if code else result.stdout)


@pytest.mark.parametrize(
    ("network", "size", "count"),
    [
        *((layers, 8, 5) for layers in ("fc", "conv fc fc", "encoder", "towers", "cross-stitch")),
        *((backbone, 32, 1) for backbone in BACKBONES),
    ],
)
def test_what_is_accepted_can_be_built_and_trained(
    network, size, count, program, monkeypatch, float32_again
):
    monkeypatch.chdir(program.folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(program.folder / "cache"))
    layers = network.split()
    last = [Given("--network", layers, layers), Given("--image-size", [str(size)], size)]

    @cases(count)
    @given(command_lines("--network", flawed=False))
    def work(command):
        command = [*command, *last]
        told = {each.flag: each.meaning for each in command}
        assume(not faults(command))
        assume(told.get("--weights", "none") == "none" and told.get("--max-steps", 1) <= 10**6)
        train_and_test(parse_flags([text for each in command for text in each.arguments]))

    work()


def train_and_test(settings: Namespace) -> None:
    """Builds all that follows from the flags, and passes images of some steps there and back."""
    import tensorflow as tf

    from model import build_network, build_optimizer, set_dropout_step, squared_weights
    from tasks.schedule import make_schedule, relative_weights

    tasks = chosen_tasks(settings)
    network = build_network(settings, [task.classes for task in tasks])
    optimizer = build_optimizer(settings)
    optimizer.build(network.trainable_variables)
    settings.max_steps = settings.max_steps or 9  # of --epochs it is known once the data is
    schedule, weights = make_schedule(settings), relative_weights(settings)
    for step in {0, settings.max_steps - 1}:
        trained = schedule.tasks_at(step)
        colour = tasks[trained[0]].dataset in ("dogs", "cifar10", "cifar100")
        shape = (1, settings.image_size, settings.image_size, 3 if colour else 1)
        images = tf.random.stateless_uniform(shape, (step, 0))
        parts = network.parts(trained)
        set_dropout_step(parts, tf.constant(step, tf.int64))
        with tf.GradientTape() as tape:
            logits = network.logits(images, trained, training=True)
            losses = [
                weights[task] * tf.nn.sparse_softmax_cross_entropy_with_logits([0], each)
                for task, each in zip(trained, logits, strict=True)
            ]
            loss = tf.add_n(losses) + settings.l2 * squared_weights(parts)
        variables = [variable for part in parts for variable in part.trainable_variables]
        optimizer.apply(tape.gradient(loss, variables), variables)
        tested = network.logits(images, range(len(tasks)), training=False)
        assert [each.shape for each in tested] == [(1, task.classes) for task in tasks]
