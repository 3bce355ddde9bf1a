"""Evaluating a saved network on its own tasks, and on others that it can answer."""

import os
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given
from hypothesis import strategies as st

import evaluate
from data.loading import load_datasets
from files import write_json
from runs.config import read_config
from tasks import find_tasks
from tasks.resolve import choose_tasks
from tests.support.command import one_line, run_command, run_here
from tests.support.datasets import write_cifar10, write_cifar100, write_idx, write_mnist
from tests.support.fuzzing import cases
from tests.support.names import FRAGMENTS, is_plain, names
from tests.support.reading import (
    change_config,
    change_settings,
    only_run,
    read_json,
    read_metrics,
)
from training import feed
from training.feed import make_task_data
from training.problem import Problem
from training.scoring import restore_network

TINY = ("--max-steps", "12", "--batch", "10", "--test-frequency", "6", "--quiet")
MakeRun = Callable[..., Path]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A --data-dir with tiny digits and photographs."""
    folder = tmp_path_factory.mktemp("data")
    write_mnist(folder / "mnist")
    write_cifar10(folder / "cifar-10-batches-bin")
    write_cifar100(folder / "cifar-100-binary")
    return folder


@pytest.fixture(scope="module")
def make_run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """A function that makes a run with the flags given, and returns its folder."""

    def make(*flags: str) -> Path:
        log_dir = tmp_path_factory.mktemp("log")
        assert run_here("--data-dir", data, "--log-dir", log_dir, *TINY, *flags).returncode == 0
        return only_run(log_dir)

    return make


@pytest.fixture(scope="module")
def cifar10_run(make_run: MakeRun) -> Path:
    """A run on CIFAR-10's ten classes."""
    return make_run("--tasks", "cifar10", "--filters", "4")


@pytest.fixture(scope="module")
def cifar100_run(make_run: MakeRun) -> Path:
    """A run on CIFAR-100's hundred classes, with standardized images."""
    return make_run("--tasks", "cifar100", "--standardize", "--filters", "4")


@pytest.fixture
def run(cifar10_run: Path, tmp_path: Path) -> Path:
    """A copy of the run on CIFAR-10."""
    return Path(shutil.copytree(cifar10_run, tmp_path / "run"))


def evaluate_run(run: Path, *flags: object) -> tuple[list[dict], str]:
    """Evaluates a run; returns the results, and the output."""
    result = run_here(run, *flags, main=evaluate.main)
    assert (result.returncode, result.stderr) == (0, "")
    return read_json(run / "evaluation.json")["tasks"], result.stdout


def test_a_runs_own_tasks_score_as_in_its_last_evaluation(make_run):
    run = make_run(
        *("--tasks", "id", "cifar100:fish", "inv", "id", "--heads", "multi", "--task-time", "4"),
        *("--standardize", "--filters", "4"),
    )
    results, output = evaluate_run(run)
    assert [result["name"] for result in results] == ["id", "cifar100:fish", "inv", "id"]
    assert "\nid (0)  " in output
    accuracies = [result["accuracy"] for result in results]
    assert accuracies == read_metrics(run)[-1]["accuracy"]
    assert accuracies[0] != accuracies[3]  # each has a head, and the second was never trained
    for result in results:
        confusion = np.array(result["confusion"])
        assert confusion.shape == (len(result["classes"]),) * 2
        assert confusion.sum() == result["test"]
        assert np.trace(confusion) == result["correct"]
        assert f"{result['name']}: confusion matrix (rows are true classes" in output
    assert [sum(row) for row in results[0]["confusion"]] == [3] * 5 + [2] * 5  # 25 digits
    assert results[1]["classes"] == ["aquarium_fish", "flatfish", "ray", "shark", "trout"]


def test_every_batch_of_the_test_set_counts(cifar10_run, monkeypatch):
    whole, _ = evaluate_run(cifar10_run)
    monkeypatch.setattr(feed, "TEST_PIXELS", 1)
    monkeypatch.setattr(feed, "MIN_TEST_BATCH", 7)  # the last one is not full
    assert evaluate_run(cifar10_run)[0] == whole


def test_classes_are_scored_by_the_network_on_all(cifar10_run):
    """Compares with the confusions over all classes."""
    (whole, *each), _ = evaluate_run(cifar10_run, "--tasks", "cifar10", "cifar10:*")
    confusion = np.array(whole["confusion"])
    for label, result in enumerate(each):
        true = confusion[label, label]
        false_alarms = confusion[:, label].sum() - true
        missed = confusion[label].sum() - true
        rest = confusion.sum() - true - false_alarms - missed
        assert result["confusion"] == [[rest, false_alarms], [missed, true]]
        assert result["correct"] == rest + true


def test_standardization_is_that_of_the_training_images(cifar100_run):
    """Each answer for a superclass is the best of its outputs, as they are for the whole task."""
    results, _ = evaluate_run(cifar100_run, "--tasks", "cifar100", "cifar100:*")
    options = evaluate.read_options([str(cifar100_run)])
    settings = evaluate.current_settings(options, read_config(cifar100_run))
    whole = choose_tasks(settings.tasks, settings.data, quiet=True)
    datasets = load_datasets(["cifar100"], settings.data, 28, quiet=True)
    (task_data,) = make_task_data(whole, datasets, settings.input, settings.training)
    network, _ = restore_network(cifar100_run, settings, whole)
    images = task_data.feed.evaluation_batch(tf.constant(0))
    logits = network.logits(images, [0], training=False)[0].numpy()
    true = task_data.test_labels.numpy()
    for part, result in zip(find_tasks(["cifar100:*"], dict), results[1:], strict=True):
        mine = np.flatnonzero(np.array(part.labels) >= 0)  # the outputs of its five classes
        shown = np.isin(true, mine)
        answers = mine[logits[shown][:, mine].argmax(axis=1)]
        assert result["correct"] == (answers == true[shown]).sum()
        assert result["read_from"] == "cifar100"


def test_standardization_belongs_to_the_run_and_not_to_the_folder(make_run, tmp_path, monkeypatch):
    """The test set is that of the run, beside training images that are all black."""
    run = make_run("--tasks", "id", "ref", "--standardize", "--filters", "4")
    accuracies = read_metrics(run)[-1]["accuracy"]
    config = read_json(run / "config.json")
    source = Path(config["directory"], config["settings"]["data_dir"], "mnist")
    other = Path(shutil.copytree(source, tmp_path / "other" / "mnist"))
    (images,) = other.glob("train-images*")
    write_idx(images, np.zeros((config["data"]["mnist"]["train"], 28, 28), np.uint8))
    results, _ = evaluate_run(run, "--data-dir", other.parent)
    assert [result["accuracy"] for result in results] == accuracies
    # A run of an older version, which did not save its mean and deviation.
    monkeypatch.setattr(Problem, "scales", lambda problem: [])
    run = make_run("--tasks", "id", "ref", "--standardize", "--filters", "4")
    assert [result["accuracy"] for result in evaluate_run(run)[0]] == accuracies
    result = run_here(run, "--data-dir", other.parent, main=evaluate.main)
    assert result.returncode == 2
    assert "saved no mean and deviation" in one_line(result)


def test_whole_networks_are_restored(make_run):
    run = make_run("--tasks", "id", "cifar10:cat", "--network", "towers", "--schedule", "joint")
    accuracies = [result["accuracy"] for result in evaluate_run(run)[0]]
    assert accuracies == read_metrics(run)[-1]["accuracy"]


def test_of_many_classes_the_worst_confusions_are_printed(cifar100_run):
    (result,), output = evaluate_run(cifar100_run)
    lines = output.splitlines()
    start = lines.index("cifar100: the most frequent confusions of 100 classes")
    assert len(lines[start + 1 : -1]) == 10
    count, true, *_, answer = lines[start + 1].split()
    names = result["classes"]
    assert result["confusion"][names.index(true)][names.index(answer)] == int(count)


def test_the_command(run, data, tmp_path):
    change_settings(data_dir="gone")(run)
    output = tmp_path / "result.json"
    flags = (run, "--data-dir", data, "--output", output)
    result = run_command(*flags, "--tasks", "cifar10:3", program=("evaluate.py",))
    assert (result.returncode, result.stderr) == (0, "")
    assert "test accuracy, %\ncifar10:cat  " in result.stdout
    assert ", read off the outputs for cifar10)" in result.stdout
    assert result.stdout.endswith(f"everything is in {output}\n")
    assert read_json(output)["tasks"][0]["name"] == "cifar10:cat"
    quiet = run_here(*flags, "--quiet", main=evaluate.main)
    assert len(quiet.stdout.splitlines()) == 2


def truncate_checkpoint(run: Path) -> None:
    for data in (run / "checkpoints").glob("*.data-*"):
        data.write_bytes(data.read_bytes()[:100])


@pytest.mark.parametrize(
    ("damage", "flags", "message"),
    [
        (shutil.rmtree, (), "there is no such folder"),
        (lambda run: (run / "config.json").unlink(), (), "no run's folder: it has no config.json"),
        (
            change_config("data", cifar10={"classes": ["cat", "dog"]}),
            (),
            "on 2 classes (cat to dog)",
        ),
        (change_settings(filters=[5]), (), "damaged, or not of the network that"),
        (change_settings(precision=None), (), "was made by an older version"),
        (
            change_config(settings={"precision": "float32"}),
            (),
            "config.json: its settings are damaged or of another version (tasks is missing)",
        ),
        (change_config(data=None), (), "config.json has no data; repair it"),
        (change_config("data", cifar10={"classes": []}), (), "data.cifar10.classes: expected a"),
        (change_settings(filters=[]), (), "config.json has () as filters, and with its other"),
        (change_settings(tasks=3), (), "tasks: expected a list of text, got 3"),
        (change_settings(network=["x"]), (), "config.json does not describe a network"),
        (lambda run: shutil.rmtree(run / "checkpoints"), (), "has no checkpoint: one is saved"),
        (truncate_checkpoint, (), "damaged, or not of the network that"),
        (None, ("--tasks", "cifar100:fish"), "cifar100:fish with its 5 classes does not fit"),
        (None, ("--tasks", "cifar10:cta"), "cifar10 has no 'cta'"),
        (None, ("--data-dir", "no/such"), "there is no folder no/such"),
        (None, ("--output", "no/such/file.json"), "--output: there is no folder no/such"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(run, damage, flags, message):
    if damage:
        damage(run)
    result = run_here(run, "--quiet", *flags, main=evaluate.main)
    assert result.returncode == 2
    line = one_line(result)
    assert line.startswith("evaluate.py: error: ")
    assert message in line


def test_relative_paths_are_those_of_where_the_run_was_started(run, data, tmp_path, monkeypatch):
    change_config(directory=str(data.parent))(run)
    change_settings(data_dir=data.name)(run)
    monkeypatch.chdir(tmp_path)
    assert len(evaluate_run(run)[0]) == 1


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("a"), lambda path: path.symlink_to("b")],
)
def test_an_output_that_is_no_regular_file_is_refused_before_the_evaluation(
    run, make, tmp_path, monkeypatch
):
    monkeypatch.setattr(evaluate, "evaluate_tasks", None)  # which would be called
    (tmp_path / "a").write_text("theirs")
    output = tmp_path / "output"
    make(output)
    before = output.lstat()
    result = run_here(run, "--output", output, main=evaluate.main)
    assert f"--output: {output} cannot be written (" in one_line(result)
    assert result.returncode == 2 and os.path.samestat(output.lstat(), before)
    assert (tmp_path / "a").read_text() == "theirs"


@cases(30)
@given(tasks=st.lists(names(), min_size=1, max_size=3), classes=st.integers(1, 24))
@example(list(FRAGMENTS), 3)
def test_names_do_not_control_the_terminal(tasks, classes):
    results = [
        {
            **{"name": name, "read_from": tasks[0], "accuracy": 0.5, "correct": 1, "test": 2},
            "classes": ([*tasks, *FRAGMENTS] * 2)[:classes],
            "confusion": [[5] * classes] * classes,
        }
        for name in tasks
    ]
    with redirect_stdout(StringIO()) as output:
        evaluate.show(results, drawn=False, quiet=False)
    lines = output.getvalue().split("\n")
    assert all(line.isprintable() for line in lines)
    rows = 1 + min(10, classes * (classes - 1)) if classes > evaluate.MAX_COLUMNS else 2 + classes
    assert len(lines) == 2 + len(tasks) * (2 + rows)


def test_results_in_json_are_plain_text(tmp_path):
    write_json(tmp_path / "evaluation.json", {"classes": list(FRAGMENTS)})
    assert is_plain((tmp_path / "evaluation.json").read_text())
    assert read_json(tmp_path / "evaluation.json")["classes"] == list(FRAGMENTS)
