"""Whole short runs on every schedule, with every kind of heads and network."""

from pathlib import Path

import numpy as np
import pytest

from task import main
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
    assert sorted(curves) == ["accuracy", "learning_rate", "loss"]  # none that names a task
    losses = []
    for index, name in enumerate(("fashion", "fashion-group", "id")):
        curve = read_curves(folder / f"train_task_{index}_{name}")["loss"]
        assert [step for step, _ in curve] == [2, 4, 6]
        losses.append([loss for _, loss in curve])
    assert [loss for _, loss in curves["loss"]] == pytest.approx(np.mean(losses, axis=0))


def test_random(every_data_dir):
    folder = run(
        every_data_dir,
        *("--tasks", "id", "inv", "--schedule", "random", "--task-weights", "0", "1"),
        *(*NARROW, "--train-summary-frequency", "1"),
    )
    assert folder.parts[-2] == "random"
    assert [line["trained"] for line in read_metrics(folder)] == [None, 1, 1]
    assert [task for _, task in read_curves(folder / "train")["task"]] == [1] * 6
    assert "loss" not in read_curves(folder / "train_task_0_id")
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
