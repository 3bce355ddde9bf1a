"""Whole short runs on every schedule, with every kind of heads and network."""

import math
from pathlib import Path

import numpy as np
import pytest

from task import main
from tests.support.datasets import write_mnist
from tests.support.reading import accumulate, only_run, read_curves, read_json, read_metrics

TINY = ("--max-steps", "6", "--batch", "4", "--test-frequency", "3", "--quiet")
NARROW = ("--filters", "2")
SMALL = ("--image-size", "8")


def run(data_dir: Path, *flags: str, log_dir: Path | None = None, code: int = 0) -> Path | None:
    """Runs the command in this process, and returns the run's folder, None if there is none."""
    log_dir = log_dir or data_dir.parent / "log"
    assert main(["--data-dir", str(data_dir), "--log-dir", str(log_dir), *TINY, *flags]) == code
    return only_run(log_dir) if log_dir.exists() else None


def tasks_in_config(folder: Path, *facts: str) -> list[tuple]:
    """Returns these facts of each task from `config.json`."""
    tasks = read_json(folder / "config.json")["tasks"]
    return [tuple(task[fact] for fact in facts) for task in tasks]


def test_joint(every_data_dir):
    folder = run(
        every_data_dir,
        *("--tasks", "fashion", "fashion-group", "id", "--schedule", "joint", "--heads", "multi"),
        *(*NARROW, "--train-summary-frequency", "2"),
    )
    axes = ("t_fashion_fashion-group_id", "combined", "sgd", "n_conv_fc_multi", "joint")
    assert folder.parts[-6:-1] == axes
    assert [line["trained"] for line in read_metrics(folder)] == [None, None, None]
    curves = read_curves(folder / "train")
    # None that names a task.
    assert sorted(curves) == ["accuracy/train", "loss/train", "training/learning_rate"]
    losses = []
    for index, name in enumerate(("fashion", "fashion-group", "id")):
        curve = read_curves(folder / f"train_task_{index}_{name}")["loss/train"]
        assert [step for step, _ in curve] == [2, 4, 6]
        losses.append([loss for _, loss in curve])
    assert [loss for _, loss in curves["loss/train"]] == pytest.approx(np.mean(losses, axis=0))


def test_random(every_data_dir):
    folder = run(
        every_data_dir,
        *("--tasks", "id", "inv", "--schedule", "random", "--task-weights", "0", "1"),
        *(*NARROW, "--train-summary-frequency", "1"),
    )
    assert folder.parts[-2] == "random"
    assert [line["trained"] for line in read_metrics(folder)] == [None, 1, 1]
    assert [task for _, task in read_curves(folder / "train")["training/task"]] == [1] * 6
    assert not read_curves(folder / "train_task_0_id")
    assert tasks_in_config(folder, "steps") == [(0,), (6,)]


@pytest.mark.parametrize(
    "flags",
    [
        ("--schedule", "joint", "--tasks", "id", "inv", *NARROW, "--dropout", "0.5"),
        ("--schedule", "random", "--tasks", "id", "fashion-group", "--network", "towers", *SMALL),
    ],
)
def test_runs_with_the_same_seed_are_equal(every_data_dir, tmp_path, flags):
    first, again, other = (
        run(every_data_dir, *flags, "--seed", seed, log_dir=tmp_path / name)
        .joinpath("metrics.jsonl")
        .read_bytes()
        for name, seed in (("a", "1"), ("b", "1"), ("c", "2"))
    )
    assert first == again != other


def test_cross_stitch_units_are_logged(every_data_dir):
    folder = run(
        every_data_dir,
        *("--tasks", "fashion", "fashion-group", "id", "--network", "cross-stitch"),
        *("--schedule", "joint", "--stitch-init", "0.9", "0.05", *SMALL),
    )
    curves, histograms = read_curves(folder / "train"), accumulate(folder / "train")
    for unit in ("pool_1", "pool_2", "hidden"):
        for kind, initial in (("own", 0.9), ("others", 0.05)):
            points = curves[f"cross_stitch/{unit}/{kind}_mean"]
            assert [step for step, _ in points] == [0, 3, 6]
            assert points[0][1] == pytest.approx(initial)
            assert points[2][1] != points[0][1]  # it is trained
            assert len(histograms.Tensors(f"cross_stitch/{unit}/{kind}")) == 3


@pytest.mark.parametrize(
    ("flags", "task", "sizes"),
    [
        (("towers", *SMALL), "cifar100:fish", (5, 5, 5)),
        (("encoder", *SMALL), "cifar100:fish", (5, 5, 5)),
        (("mobilenetv2", "--freeze-backbone", "--image-size", "32"), "cifar10:dog", (2, 50, 10)),
    ],
)
def test_other_networks(every_data_dir, flags, task, sizes):
    folder = run(
        every_data_dir,
        *("--network", *flags, "--heads", "multi", "--tasks", "cifar10:cat", task),
        *("--schedule", "joint", "--standardize", "--max-steps", "2"),
    )
    assert tasks_in_config(folder, "classes", "train", "test") == [(2, 50, 10), sizes]
    assert folder.parts[-3] == f"n_{flags[0]}_multi"
    assert folder.parts[-6] == f"t_cifar10-cat_{task.replace(':', '-')}"


def test_names_of_many_tasks_are_shortened_to_fit_file_systems(every_data_dir):
    folder = run(every_data_dir, "--tasks", "cifar100:*", *NARROW)
    assert folder.parts[-6] == "t_cifar100-aquatic_mammals_and_19_more"
    assert (folder / "test_task_19_cifar100-vehicles_2").is_dir()
    assert len(read_metrics(folder)[-1]["accuracy"]) == 20


def test_epochs_are_those_of_the_largest_task(every_data_dir):
    """50 images of CIFAR-10 in batches of 4: two epochs are 25 steps, whatever else is trained."""
    log_dir = every_data_dir.parent / "log"
    flags = ["--data-dir", str(every_data_dir), "--log-dir", str(log_dir), "--quiet", *NARROW]
    flags += ["--tasks", "cifar100:fish", "cifar10:dog", "--heads", "multi"]
    assert main([*flags, "--epochs", "2", "--batch", "4"]) == 0
    folder = only_run(log_dir)
    assert read_metrics(folder)[-1]["step"] == 25
    settings = read_json(folder / "config.json")["settings"]
    assert (settings["epochs"], settings["max_steps"]) == (2, 25)


def test_omniglot(every_data_dir):
    folder = run(every_data_dir, "--tasks", "omniglot:*", "--heads", "multi", *NARROW)
    tasks = tasks_in_config(folder, "name", "classes", "train")
    assert tasks == [("omniglot:Greek", 3, 48), ("omniglot:Latin", 2, 32)]


def test_a_task_without_images_is_refused(every_data_dir, capsys):
    test_file = every_data_dir / "cifar-100-binary" / "test.bin"
    records = np.frombuffer(test_file.read_bytes(), np.uint8).reshape(-1, 2 + 3072)
    test_file.write_bytes(records[records[:, 0] != 1].tobytes())  # 1 is fish
    assert run(every_data_dir, "--tasks", "cifar100:fish", code=2) is None
    assert "has no images of the task cifar100:fish" in capsys.readouterr().err


@pytest.fixture(scope="module")
def returning(tmp_path_factory):
    """The folder of a run of two tasks that return, with two points to a turn."""
    base = tmp_path_factory.mktemp("returning")
    write_mnist(base / "data" / "mnist")
    flags = ("--tasks", "id", "inv", "--task-time", "4", "--train-summary-frequency", "2")
    at_switches = ("--test-at-switches", "--max-steps", "14")
    return run(base / "data", *flags, *at_switches, *NARROW, log_dir=base / "log")


def test_a_gap_is_in_the_training_curves_where_a_task_returns(returning):
    for task, steps, gap in (("0_id", [2, 4, 8, 10, 12], 8), ("1_inv", [6, 8, 12, 14], 12)):
        curves = read_curves(returning / f"train_task_{task}")
        for tag in ("accuracy/train", "loss/train"):
            assert [step for step, _ in curves[tag]] == steps
            assert [step for step, value in curves[tag] if math.isnan(value)] == [gap]


def test_the_number_of_the_task_jumps_at_a_switch(returning):
    points = read_curves(returning / "train")["training/task"]
    assert points == [
        *((0, 0), (2, 0), (4, 0), (4, 1), (6, 1), (8, 1)),
        *((8, 0), (10, 0), (12, 0), (12, 1), (14, 1)),
    ]


@pytest.mark.parametrize(
    "flags",
    [("--task-time", "3", "--max-steps", "9"), ("--schedule", "random"), ("--tasks", "id")],
)
def test_no_gap_is_where_turns_have_no_two_points(data_dir, flags):
    folder = run(
        data_dir, "--tasks", "id", "inv", "--train-summary-frequency", "2", *NARROW, *flags
    )
    values = [
        value
        for curve in folder.glob("train_task_*")
        for _, value in read_curves(curve).get("loss/train", [])
    ]
    assert values and np.isfinite(values).all()


def test_metrics_are_logged_at_the_end_of_each_turn(returning):
    curves, metrics = read_curves(returning / "test"), read_metrics(returning)
    known = {tag: [step for step, _ in points] for tag, points in curves.items()}
    assert known == {
        "accuracy/test": [0, 3, 4, 6, 8, 9, 12, 14],
        "metrics/average_accuracy_so_far": [4, 8, 12],
        "metrics/forgetting": [8, 12],
        "metrics/forgetting_per_return": [12],
        "metrics/relearning_steps": [12],
    }
    accuracy = {line["step"]: line["accuracy"] for line in metrics}
    lost = accuracy[4][0] - accuracy[8][0]
    assert curves["metrics/forgetting_per_return"] == [(12, pytest.approx(lost))]


def pictures(folder):
    """Returns the step and the width of each picture of a run, by its folder and tag."""
    found = {}
    for curve in folder.glob("t*"):
        events = accumulate(curve)
        for tag in events.Tags()["tensors"]:
            if events.SummaryMetadata(tag).plugin_data.plugin_name == "images":
                ((step, width),) = [
                    (point.step, int(point.tensor_proto.string_val[0]))
                    for point in events.Tensors(tag)
                ]
                found[curve.name, tag] = step, width
    return found


def test_a_run_has_pictures_of_its_examples_confusions_and_turns(returning):
    assert {name: step for name, (step, _) in pictures(returning).items()} == {
        ("train_task_0_id", "pictures/examples"): 0,
        ("train_task_1_inv", "pictures/examples"): 0,
        ("test_task_0_id", "pictures/confusion"): 14,
        ("test_task_1_inv", "pictures/confusion"): 14,
        ("test", "accuracy/turns"): 14,
    }


def test_only_some_of_many_tasks_have_pictures(data_dir, monkeypatch):
    monkeypatch.setattr("training.pictures.MAX_TASKS", 2)
    folder = run(data_dir, "--tasks", "id", "inv", "ref", *NARROW)
    drawn = sorted(curve for curve, _ in pictures(folder))
    assert drawn == [
        "test",
        "test_task_0_id",
        "test_task_1_inv",
        "train_task_0_id",
        "train_task_1_inv",
    ]
