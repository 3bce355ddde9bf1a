"""Whole runs on every schedule, set of heads and kind of network, at tiny size."""

import json
from pathlib import Path

import numpy as np
import pytest

from task import main
from tests.support.reading import accumulate, only_run, read_curves, read_metrics

TINY = ("--max-steps", "6", "--batch", "4", "--test-frequency", "3", "--quiet")


def run(data_dir: Path, *flags: str, code: int = 0) -> Path:
    """Runs the command in this process; its folder."""
    log_dir = data_dir.parent / "log"
    assert main(["--data-dir", str(data_dir), "--log-dir", str(log_dir), *TINY, *flags]) == code
    return only_run(log_dir)


def test_joint(every_data_dir):
    folder = run(
        every_data_dir,
        *("--tasks", "fashion", "fashion-group", "id", "--schedule", "joint", "--heads", "multi"),
        *("--filters", "2", "--train-summary-frequency", "2"),
    )
    axes = ("t_fashion_fashion-group_id", "combined", "sgd", "n_conv_fc_multi", "joint")
    assert folder.parts[-6:-1] == axes
    metrics = read_metrics(folder)
    assert [line["trained"] for line in metrics] == [None, None, None]
    curves = read_curves(folder / "train")
    assert sorted(curves) == ["accuracy", "learning_rate", "loss"]  # no task is the one trained
    losses = []
    for index, name in enumerate(("fashion", "fashion-group", "id")):
        mine = read_curves(folder / f"train_task_{index}_{name}")
        assert [step for step, _ in mine["loss"]] == [2, 4, 6]
        losses.append([loss for _, loss in mine["loss"]])
    assert [loss for _, loss in curves["loss"]] == pytest.approx(np.mean(losses, axis=0))


def test_random(every_data_dir):
    folder = run(
        every_data_dir,
        *("--tasks", "id", "inv", "--schedule", "random", "--task-weights", "0", "1"),
        *("--filters", "2", "--train-summary-frequency", "1"),
    )
    assert folder.parts[-2] == "random"
    assert [line["trained"] for line in read_metrics(folder)] == [None, 1, 1]
    assert [task for _, task in read_curves(folder / "train")["task"]] == [1] * 6
    assert "loss" not in read_curves(folder / "train_task_0_id")
    config = json.loads((folder / "config.json").read_text())
    assert [task["steps"] for task in config["tasks"]] == [0, 6]


@pytest.mark.parametrize(
    "flags",
    [
        ("--schedule", "random", "--tasks", "id", "inv", "ref", "--filters", "2"),
        ("--schedule", "joint", "--tasks", "id", "inv", "--filters", "2", "--dropout", "0.5"),
        ("--tasks", "id", "fashion-group", "--network", "towers", "--task-time", "2"),
    ],
)
def test_equal_runs_are_equal(every_data_dir, tmp_path, flags):
    contents = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        log_dir = tmp_path / name
        arguments = [*TINY, *flags, "--seed", seed, "--log-dir", str(log_dir)]
        assert main(["--data-dir", str(every_data_dir), *arguments]) == 0
        contents.append((only_run(log_dir) / "metrics.jsonl").read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_cross_stitch_units_are_summarised(every_data_dir):
    folder = run(
        every_data_dir,
        *("--tasks", "fashion", "fashion-group", "id", "--network", "cross-stitch"),
        *("--schedule", "joint", "--stitch-init", "0.9", "0.05"),
    )
    curves = read_curves(folder / "train")
    for unit in ("pool_1", "pool_2", "hidden"):
        for kind, initial in (("own", 0.9), ("others", 0.05)):
            points = curves[f"cross_stitch/{unit}/{kind}_mean"]
            assert [step for step, _ in points] == [0, 3, 6]
            assert points[0][1] == pytest.approx(initial)
            assert points[2][1] != points[0][1]  # it is learned
            histogram = accumulate(folder / "train").Tensors(f"cross_stitch/{unit}/{kind}")
            assert len(histogram) == 3


@pytest.mark.parametrize(
    "network", [("towers",), ("encoder",), ("mobilenetv2", "--freeze-backbone")]
)
def test_other_networks(every_data_dir, network):
    folder = run(
        every_data_dir,
        *("--network", *network, "--heads", "multi", "--tasks", "cifar10:cat", "cifar100:fish"),
        *("--image-size", "32", "--schedule", "joint", "--standardize", "--max-steps", "2"),
    )
    config = json.loads((folder / "config.json").read_text())
    sizes = [(task["classes"], task["train"], task["test"]) for task in config["tasks"]]
    assert sizes == [(2, 50, 10), (5, 5, 5)]
    assert folder.parts[-3] == f"n_{network[0]}_multi"
    assert folder.parts[-6] == "t_cifar10-cat_cifar100-fish"


def test_many_tasks_get_a_name_that_file_systems_take(every_data_dir):
    folder = run(every_data_dir, "--tasks", "cifar100:*", "--filters", "2")
    assert folder.parts[-6] == "t_cifar100-aquatic_mammals_and_19_more"
    assert (folder / "test_task_19_cifar100-vehicles_2").is_dir()
    assert len(read_metrics(folder)[-1]["accuracy"]) == 20


def test_epochs_are_of_the_largest_task(every_data_dir):
    """50 images of CIFAR-10 in batches of 4: two epochs are 25 steps, whatever else is trained."""
    flags = ["--data-dir", str(every_data_dir), "--log-dir", str(every_data_dir.parent / "log")]
    flags += ["--tasks", "cifar100:fish", "cifar10:dog", "--heads", "multi", "--filters", "2"]
    assert main([*flags, "--epochs", "2", "--batch", "4", "--quiet"]) == 0
    folder = only_run(every_data_dir.parent / "log")
    assert read_metrics(folder)[-1]["step"] == 25
    settings = json.loads((folder / "config.json").read_text())["settings"]
    assert (settings["epochs"], settings["max_steps"]) == (2, 25)


def test_omniglot(every_data_dir):
    folder = run(every_data_dir, "--tasks", "omniglot:*", "--heads", "multi", "--filters", "2")
    config = json.loads((folder / "config.json").read_text())
    sizes = [(task["name"], task["classes"], task["train"]) for task in config["tasks"]]
    assert sizes == [("omniglot:Greek", 3, 48), ("omniglot:Latin", 2, 32)]


def test_a_task_of_which_there_is_no_image(every_data_dir, capsys):
    test_file = every_data_dir / "cifar-100-binary" / "test.bin"
    record = 2 + 3072
    records = test_file.read_bytes()
    kept = [records[i : i + record] for i in range(0, len(records), record)]
    test_file.write_bytes(b"".join(each for each in kept if each[0] != 1))  # 1 is fish
    log_dir = every_data_dir.parent / "log"
    flags = ["--data-dir", str(every_data_dir), "--log-dir", str(log_dir), *TINY]
    assert main([*flags, "--tasks", "cifar100:fish"]) == 2
    assert "has no images of the task cifar100:fish" in capsys.readouterr().err
    assert not log_dir.exists()
