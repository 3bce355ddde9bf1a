"""Scoring a saved network: on its own tasks, and on those that it can answer."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from settings.checks import chosen_tasks

import evaluate
import task
from data.loading import load_datasets
from errors import RequestError
from tasks import TASKS, find_tasks
from tests.support.command import ROOT, one_line
from tests.support.datasets import write_cifar10, write_cifar100, write_mnist
from tests.support.reading import only_run, read_metrics
from training import feed
from training.feed import make_learners
from training.scoring import Reading, reading_of, restore_network

TINY = ("--max-steps", "12", "--batch", "10", "--test-frequency", "6", "--quiet")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_mnist(folder / "mnist")
    write_cifar10(folder / "cifar-10-batches-bin")
    write_cifar100(folder / "cifar-100-binary")
    return folder


@pytest.fixture(scope="module")
def make_run(data, tmp_path_factory):
    """A function from flags to the folder of a run with them."""

    def make(*flags: str) -> Path:
        log_dir = tmp_path_factory.mktemp("log")
        arguments = ["--data-dir", str(data), "--log-dir", str(log_dir), *TINY]
        assert task.main([*arguments, *flags]) == 0
        return only_run(log_dir)

    return make


@pytest.fixture(scope="module")
def cifar10_run(make_run):
    return make_run("--tasks", "cifar10", "--filters", "4")


def evaluated(run: Path, *flags: str) -> list[dict]:
    assert evaluate.main([str(run), *flags]) == 0
    return json.loads((run / "training.scoring.json").read_text())["tasks"]


def test_a_runs_own_tasks_score_as_its_last_test_did(make_run, capsys):
    run = make_run(
        *("--tasks", "id", "cifar100:fish", "inv", "--heads", "multi", "--task-time", "2"),
        *("--standardize", "--filters", "4"),
    )
    results = evaluated(run)
    assert [result["name"] for result in results] == ["id", "cifar100:fish", "inv"]
    assert [result["accuracy"] for result in results] == read_metrics(run)[-1]["accuracy"]
    output = capsys.readouterr().out
    for result in results:
        confusion = np.array(result["confusion"])
        assert confusion.shape == (len(result["classes"]),) * 2
        assert confusion.sum() == result["test"]
        assert np.trace(confusion) == result["correct"]
        assert f"{result['name']}: what was taken for which class" in output
    assert [sum(row) for row in results[0]["confusion"]] == [3] * 5 + [2] * 5  # 25 digits
    assert results[1]["classes"] == ["aquarium_fish", "flatfish", "ray", "shark", "trout"]


def test_every_batch_of_the_test_set_counts(cifar10_run, monkeypatch):
    whole = evaluated(cifar10_run)
    monkeypatch.setattr(feed, "TEST_PIXELS", 1)
    monkeypatch.setattr(feed, "LEAST_TEST_BATCH", 7)  # the last one is not full
    assert evaluated(cifar10_run) == whole


def test_classes_are_scored_by_the_network_on_all(cifar10_run):
    """Against what its confusions over all classes say of each."""
    whole, *each = evaluated(cifar10_run, "--tasks", "cifar10", "cifar10:*")
    confusion = np.array(whole["confusion"])
    for label, result in enumerate(each):
        true = confusion[label, label]
        false_alarms = confusion[:, label].sum() - true
        missed = confusion[label].sum() - true
        rest = confusion.sum() - true - false_alarms - missed
        assert result["confusion"] == [[rest, false_alarms], [missed, true]]
        assert result["correct"] == rest + true


def test_superclasses_are_scored_by_the_best_of_their_outputs():
    (fish,) = find_tasks(["cifar100:fish"], dict)
    reading = reading_of(fish, [TASKS["cifar100"]], heads=1)
    logits = np.zeros((2, 100), np.float32)
    logits[:, 0] = 9  # apple is likeliest, but no fish
    logits[0, 32], logits[1, 91] = 1, 1
    assert reading.predict(tf.constant(logits)).numpy().tolist() == [1, 4]


def test_groups_are_scored_by_the_classes_in_them():
    reading = reading_of(TASKS["fashion-group"], [TASKS["fashion"]], heads=1)
    logits = np.eye(10, dtype=np.float32)
    assert reading.predict(tf.constant(logits)).numpy().tolist() == [2, 2, 2, 1, 2, 0, 1, 0, 1, 0]


def test_which_head_is_read():
    tasks = find_tasks(["id", "cifar10:cat", "cifar10"], dict)
    (dog,) = find_tasks(["cifar10:dog"], dict)
    assert reading_of(tasks[1], tasks, heads=3) == Reading(1)
    assert reading_of(dog, tasks, heads=3) == Reading(2, dog.labels)
    # A change to the images that the network has not seen: as many classes as its only head.
    assert reading_of(TASKS["ref"], [TASKS["id"]], heads=1) == Reading(0)
    with pytest.raises(RequestError, match="does not fit the network"):
        reading_of(TASKS["ref"], tasks, heads=3)
    with pytest.raises(RequestError, match=r"id \(10\), cifar10:cat \(2\), cifar10 \(10\)"):
        reading_of(TASKS["fashion-group"], tasks, heads=3)


def test_the_scale_is_that_of_what_the_network_was_trained_on(make_run):
    """Each answer for a superclass is the best of its outputs, as they are for the whole task."""
    run = make_run("--tasks", "cifar100", "--standardize", "--filters", "4")
    results = evaluated(run, "--tasks", "cifar100", "cifar100:*")
    asked = evaluate.make_parser().parse_args([str(run)])
    settings = evaluate.settings_of(asked, json.loads((run / "runs.config.json").read_text()))
    (whole,) = chosen_tasks(settings)
    datasets = load_datasets(["cifar100"], settings)
    (learner,) = make_learners([whole], datasets, settings)
    network = restore_network(run, settings, [whole])
    images = learner.feed.batch_to_test(tf.constant(0))
    logits = network.logits(images, [0], training=False)[0].numpy()
    true = learner.test_labels.numpy()
    for part, result in zip(find_tasks(["cifar100:*"], dict), results[1:], strict=True):
        mine = np.flatnonzero(np.array(part.labels) >= 0)  # the outputs of its five classes
        shown = np.isin(true, mine)
        answers = mine[logits[shown][:, mine].argmax(axis=1)]
        assert result["correct"] == (answers == true[shown]).sum()
        assert result["read_from"] == "cifar100"


def test_a_task_that_is_named_twice_has_two_heads(make_run, capsys):
    run = make_run(
        *("--tasks", "id", "id", "--heads", "multi", "--network", "fc", "--task-time", "12")
    )
    accuracies = [result["accuracy"] for result in evaluated(run)]
    assert accuracies == read_metrics(run)[-1]["accuracy"]
    assert accuracies[0] != accuracies[1]  # the second was never trained
    assert "\nid (0)  " in capsys.readouterr().out


def test_whole_networks_are_restored(make_run):
    run = make_run("--tasks", "id", "cifar10:cat", "--network", "towers", "--schedule", "joint")
    accuracies = [result["accuracy"] for result in evaluated(run)]
    assert accuracies == read_metrics(run)[-1]["accuracy"]


def test_many_classes_are_told_by_their_worst_confusions(make_run, capsys):
    run = make_run("--tasks", "cifar100", "--filters", "4")
    (result,) = evaluated(run)
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("cifar100: the most frequent confusions of 100 classes")
    assert len(lines[start + 1 : -1]) == 10
    count, true, *_, answer = lines[start + 1].split()
    names = result["classes"]
    assert result["confusion"][names.index(true)][names.index(answer)] == int(count)


def run_evaluate(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "evaluate.py", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_the_command(cifar10_run, data, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(cifar10_run, moved)
    changed(data_dir="gone")(moved)
    output = tmp_path / "result.json"
    result = run_evaluate(moved, "--data-dir", data, "--tasks", "cifar10:3", "--output", output)
    assert (result.returncode, result.stderr) == (0, "")
    assert "test accuracy, %\ncifar10:cat  " in result.stdout
    assert ", read off the outputs for cifar10)" in result.stdout
    assert result.stdout.endswith(f"all of it is in {output}\n")
    assert json.loads(output.read_text())["tasks"][0]["name"] == "cifar10:cat"
    quiet = run_evaluate(moved, "--data-dir", data, "--output", output, "--quiet")
    assert len(quiet.stdout.splitlines()) == 2


def no_config(run):
    (run / "runs.config.json").unlink()


def other_classes(run):
    config = json.loads((run / "runs.config.json").read_text())
    config["data"]["cifar10"]["classes"] = ["cat", "dog"]
    (run / "runs.config.json").write_text(json.dumps(config))


def older(run):
    config = json.loads((run / "runs.config.json").read_text())
    del config["settings"]["precision"]
    (run / "runs.config.json").write_text(json.dumps(config))


def changed(**settings):
    def damage(run):
        config = json.loads((run / "runs.config.json").read_text())
        config["settings"] |= settings
        (run / "runs.config.json").write_text(json.dumps(config))

    return damage


def no_data(run):
    config = json.loads((run / "runs.config.json").read_text())
    del config["data"]
    (run / "runs.config.json").write_text(json.dumps(config))


def nearly_empty(run):
    (run / "runs.config.json").write_text(json.dumps({"settings": {"precision": "float32"}}))


def no_checkpoint(run):
    shutil.rmtree(run / "checkpoints")


def cut_short(run):
    (data,) = (run / "checkpoints").glob("*.data-*")
    data.write_bytes(data.read_bytes()[:100])


@pytest.mark.parametrize(
    ("damage", "flags", "message"),
    [
        (no_config, (), "is no run's folder: it has no config.json"),
        (other_classes, (), "was trained on 2 classes (cat to dog)"),
        (changed(filters=[5]), (), "damaged, or not of the network that"),
        (older, (), "was made by an older version"),
        (nearly_empty, (), "config.json is damaged"),
        (no_data, (), "config.json is damaged"),
        (changed(tasks=3), (), "config.json is damaged"),
        (changed(network=["x"]), (), "config.json does not describe a network"),
        (no_checkpoint, (), "has no network in its checkpoints"),
        (cut_short, (), "damaged, or not of the network that"),
        (None, ("--tasks", "cifar100:fish"), "cifar100:fish with its 5 classes does not fit"),
        (None, ("--tasks", "cifar10:cta"), "cifar10 has no 'cta'"),
        (None, ("--data-dir", "no/such"), "there is no folder no/such"),
        (None, ("--output", "no/such/file.json"), "--output: there is no folder no/such"),
    ],
)
def test_what_cannot_be_evaluated(cifar10_run, tmp_path, capsys, damage, flags, message):
    run = tmp_path / "run"
    shutil.copytree(cifar10_run, run)
    if damage:
        damage(run)
    assert evaluate.main([str(run), "--quiet", *flags]) == 2
    line = capsys.readouterr().err
    assert line.startswith("evaluate.py: error: ")
    assert line.count("\n") == 1
    assert message in line


def test_relative_paths_are_those_of_where_the_run_was_started(
    cifar10_run, data, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    shutil.copytree(cifar10_run, run)
    config = json.loads((run / "runs.config.json").read_text())
    config["directory"] = str(data.parent)
    config["settings"]["data_dir"] = data.name
    (run / "runs.config.json").write_text(json.dumps(config))
    monkeypatch.chdir(tmp_path)
    assert len(evaluated(run)) == 1


def test_no_such_folder_in_one_line():
    result = run_evaluate("no/such/run")
    assert result.returncode == 2
    assert "there is no such folder" in one_line(result)
