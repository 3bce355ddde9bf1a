"""The whole command at tiny size: its output, the folder of its run, and its errors."""

import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import tensorflow as tf

from data.loading import load_datasets
from reports.matrix import make_matrix, to_csv
from reports.metrics import measure
from runs.checkpoints import Checkpoints
from runs.config import read_config
from runs.history import read_history
from tasks.resolve import choose_tasks
from tasks.schedule import make_schedule
from tests.support.command import ROOT, one_line, run_command, run_here
from tests.support.datasets import write_idx, write_kaggle, write_mnist
from tests.support.reading import accumulate, only_run, read_curves, read_json, read_metrics
from training.problem import Problem

TASKS = ("dog", "id", "noise")
TINY = (
    *("--task-time", "4", "--max-steps", "10", "--test-frequency", "3", "--batch", "5"),
    *("--train-summary-frequency", "2", "--filters", "4"),
)
# Evaluations at step 0, at every third step, and at the last; points of training at every second.
EVALUATIONS = [0, 3, 6, 9, 10]
POINTS = [2, 4, 6, 8, 10]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A --data-dir with a tiny MNIST and tiny dogs, whose cache the first run on them makes."""
    base = tmp_path_factory.mktemp("data")
    write_mnist(base / "mnist")
    write_kaggle(base / "dogs")
    return base


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """The folder of a run of three tasks, and the result of the command."""
    log_dir = tmp_path_factory.mktemp("log")
    result = run_command("--data-dir", data, "--log-dir", log_dir, "--tasks", *TASKS, *TINY)
    assert result.returncode == 0, result.stderr
    return only_run(log_dir), result


def test_folder(run):
    folder, _ = run
    *axes, time = folder.parts[-6:]
    assert axes == ["t_dog_id_noise", "combined", "sgd", "n_conv_fc", "tt4"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", time)
    curves = [f"{kind}_task_{i}_{n}" for kind in ("train", "test") for i, n in enumerate(TASKS)]
    files = ("config.json", "metrics.jsonl", "summary.json", ".lock")
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*curves, "train", "test", "checkpoints", *files, session_file(folder).name]
    )
    assert not list(folder.rglob("plugins"))  # no profile without --trace


def session_file(folder):
    (path,) = folder.glob("events.out.tfevents.*")
    return path


def test_test_curves(run):
    folder, _ = run
    metrics = read_metrics(folder)
    assert [line["step"] for line in metrics] == EVALUATIONS
    assert [line["trained"] for line in metrics] == [None, 0, 1, 2, 2]
    for line in metrics:
        assert list(line) == ["step", "trained", "accuracy", "loss", "mean_accuracy"]
        assert line["mean_accuracy"] == fmean(line["accuracy"])
        # Every image once: 3 photographs are held out, and there are 25 digits.
        assert [a * n % 1 for a, n in zip(line["accuracy"], (3, 25, 25), strict=True)] == (
            pytest.approx([0, 0, 0], abs=1e-9)
        )
    overall = read_curves(folder / "test")
    means = [(m["step"], pytest.approx(m["mean_accuracy"])) for m in metrics]
    assert overall == {"accuracy/test": means}  # and no metric, as no turn's end is evaluated
    for index, name in enumerate(TASKS):
        curves = read_curves(folder / f"test_task_{index}_{name}")
        assert sorted(curves) == ["accuracy/test", "loss/test"]
        for tag, points in curves.items():
            quantity = tag.removesuffix("/test")
            assert points == [(m["step"], pytest.approx(m[quantity][index])) for m in metrics]


def test_training_curves(run):
    folder, _ = run
    events = accumulate(folder / "train")
    assert events.Graph().node
    (text,) = tf.make_ndarray(events.Tensors("settings")[0].tensor_proto).reshape(-1)
    assert "| `task_time` | 4 |" in text.decode()
    curves = read_curves(folder / "train")
    tasks = curves.pop("training/task")
    assert tasks == [(0, 0), (2, 0), (4, 0), (4, 1), (6, 1), (8, 1), (8, 2), (10, 2)]
    assert sorted(curves) == ["accuracy/train", "loss/train", "training/learning_rate"]
    for points in curves.values():
        assert [step for step, _ in points] == POINTS
    rates = [value for _, value in curves["training/learning_rate"]]
    assert rates == pytest.approx([0.1] * 5)
    for index, (name, steps) in enumerate(zip(TASKS, ([2, 4], [6, 8], [10]), strict=True)):
        mine = read_curves(folder / f"train_task_{index}_{name}")
        assert sorted(mine) == ["accuracy/train", "loss/train"]
        for tag, points in mine.items():
            # Two steps to a point, both of one task: its points are those of all training.
            assert points == [point for point in curves[tag] if point[0] in steps]


def test_config_and_summary(run):
    folder, _ = run
    config = read_json(folder / "config.json")
    assert config["settings"]["tasks"] == list(TASKS)
    assert config["settings"]["filters"] == [4]
    assert config["seed"] == 0
    assert config["fake_data"] is False
    assert config["data"]["mnist"]["train"] == 40
    assert config["data"]["mnist"]["origin"].startswith("MNIST from ")
    assert config["data"]["dogs"]["classes"] == ["beagle", "collie", "dingo"]
    assert config["versions"]["tensorflow"] == tf.__version__
    assert "--task-time 4" in config["command"]
    # 5×5×3×4 + 4 of the convolution, 4×4 of the normalization, 14×14×4×10 + 10 of the output.
    assert config["parameters"] == 304 + 16 + 7850
    summary = read_json(folder / "summary.json")
    metrics = read_metrics(folder)
    assert summary["step"] == 10
    for index, task in enumerate(summary["tasks"]):
        accuracies = [line["accuracy"][index] for line in metrics]
        assert task["name"] == TASKS[index]
        assert task["best"] == max(accuracies)
        assert task["final"] == accuracies[-1]


def test_the_last_checkpoint_scores_as_the_last_evaluation(run):
    folder, _ = run
    assert tf.train.latest_checkpoint(folder / "checkpoints").endswith("ckpt-10")
    settings = read_config(folder).settings
    tasks = choose_tasks(settings.tasks, settings.data, quiet=True)
    datasets = load_datasets(["mnist", "dogs"], settings.data, 28, quiet=True)
    problem = Problem(settings, tasks, datasets)
    for variable in problem.network.trainable_variables:
        variable.assign(tf.ones_like(variable))
    progress = Checkpoints(folder, problem.network, problem.optimizer).restore()
    assert progress.step == int(problem.optimizer.iterations) == 10
    last = read_metrics(folder)[-1]
    tallies = problem.evaluate(stopped=lambda: False)
    assert [tally.accuracy for tally in tallies] == last["accuracy"]
    assert [tally.loss for tally in tallies] == pytest.approx(last["loss"])


def test_plain_output(run):
    folder, result = run
    assert result.stderr == ""
    assert "\x1b" not in result.stdout
    assert "\r" not in result.stdout
    for text in (
        "Decoding 30 pictures",
        "dog: up to ten breeds of dog, photographs in color; 27 to train, 3 to test",
        "id: MNIST digits as they are; 40 to train, 25 to test",
        "8,170 parameters",
        str(folder),
        "tensorboard --logdir",
    ):
        assert text in result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith("step ")]
    assert [line.split()[1] for line in lines] == [f"{step}/10" for step in EVALUATIONS]
    *table, metrics, last = result.stdout.splitlines()[-6:]
    assert [line.split()[0] for line in table] == [*TASKS, "mean"]
    assert re.fullmatch(
        r"average accuracy \d+\.\d\d  forgetting –  forgetting at the last return –", metrics
    )
    assert last == f"everything is in {folder}"


def run_quietly(data, log_dir, *flags):
    return run_here("--data-dir", data, "--log-dir", log_dir, "--quiet", *TINY, *flags)


def test_quiet_run_of_a_deeper_network_other_style_and_optimizer(data, tmp_path):
    result = run_quietly(
        *(data, tmp_path, "--tasks", "inv", "--network", "conv", "conv", "fc", "fc"),
        *("--norm", "lrn", "--input-style", "channelplex", "--optimizer", "adam"),
        *("--hidden-units", "6"),
    )
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line for line in result.stdout.splitlines() if line.strip(" ─")]
    assert [line.split()[0] for line in lines] == ["test", "task", "inv", "mean", "average"]
    folder = only_run(tmp_path)
    assert folder.parts[-5:-1] == ("channelplex", "adam", "n_conv_conv_fc_fc", "tt4")
    config = read_json(folder / "config.json")
    convolutions = 5 * 5 * 4 * 4 + 4 + 5 * 5 * 4 * 4 + 4
    assert config["parameters"] == convolutions + 7 * 7 * 4 * 6 + 6 + 6 * 10 + 10


@pytest.mark.parametrize(
    ("flags", "steps", "last_turns"),
    [
        ((), [0, 12, 24, 36, 40], (36, 24)),
        (("--no-test-at-switches",), [0, 40], (None, None)),
        (("--task-time", "5"), [0, 40], (None, None)),  # short turns show no forgetting
        (("--task-time", "5", "--test-at-switches"), [*range(0, 41, 5)], (35, 30)),
    ],
)
def test_every_switch_of_task_is_evaluated(data, tmp_path, flags, steps, last_turns):
    """`last_turns` are the steps after which the last finished turn of each task ends."""
    lengths = ("--task-time", "12", "--max-steps", "40", "--test-frequency", "100")
    assert run_quietly(data, tmp_path, "--tasks", "id", "inv", *lengths, *flags).returncode == 0
    folder = only_run(tmp_path)
    accuracies = {None: (None, None)}
    accuracies |= {line["step"]: line["accuracy"] for line in read_metrics(folder)}
    assert list(accuracies) == [None, *steps]
    summary = read_json(folder / "summary.json")
    for index, task in enumerate(summary["tasks"]):
        assert task["at_last_switch"] == accuracies[last_turns[index]][index]
    history = read_history(folder, tasks=2)
    schedule = make_schedule(read_config(folder).settings.tasks, seed=0)
    assert summary["metrics"] == measure(history, schedule, shared_head=True)
    matrix = make_matrix(history, schedule)
    assert (matrix is None) == (last_turns == (None, None))
    written = folder / "matrix.csv"
    expected = None if matrix is None else to_csv(matrix, ("id", "inv"))
    assert (written.read_text() if written.exists() else None) == expected


@pytest.mark.parametrize(
    ("test_frequency", "when"),
    [(100, "in training step 2"), (1, "in the evaluation after step 1")],
)
def test_divergence_ends_the_run(data, tmp_path, test_frequency, when):
    result = run_quietly(
        *(data, tmp_path, "--tasks", "id", "--learning-rate", "1e30", "--norm", "none"),
        *("--checkpoint-frequency", "1", "--test-frequency", test_frequency),
    )
    assert result.returncode == 1
    assert re.search(
        rf"failed: the loss of task id became (nan|inf) {when}, at learning rate 1e\+30 "
        r"\(last finite loss [\d.]+\); start again with a smaller --learning-rate",
        one_line(result),
    )
    folder = only_run(tmp_path)
    assert [line["step"] for line in read_metrics(folder)] == [0]
    saved = {path.name for path in (folder / "checkpoints").glob("*.index")}
    assert saved == {"ckpt-0.index", "ckpt-1.index"}


def test_a_run_continues_without_its_reader(data, tmp_path):
    flags = ("--tasks", "id", "--filters", "2", "--max-steps", "40", "--test-frequency", "4")
    command = [sys.executable, "task.py", "--data-dir", data, "--log-dir", tmp_path, *flags]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, **pipe)
    assert process.stdout.readline().startswith("tasks ")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 0
    assert read_json(only_run(tmp_path) / "summary.json")["step"] == 40


def test_the_users_environment_changes_nothing(data, tmp_path):
    (tmp_path / ".keras").mkdir()
    settings = {"image_data_format": "channels_first", "floatx": "float16", "backend": "jax"}
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    result = run_command(
        *("--data-dir", data, "--log-dir", tmp_path / "log", "--tasks", "id", *TINY),
        **{"HOME": str(tmp_path), "KERAS_BACKEND": "numpy"},
        **{"FORCE_COLOR": "1", "PYTHONIOENCODING": "ascii"},
    )
    assert result.returncode == 0, result.stderr
    assert "8,170 parameters" in result.stdout
    assert "step 10/10" in result.stdout
    assert "\x1b" not in result.stdout


def test_threads_precision_and_xla_reach_the_run(data, tmp_path):
    code = (
        "import sys, task; code = task.main(sys.argv[1:]); from tensorflow import config; "
        "print('threads:', config.threading.get_intra_op_parallelism_threads()); sys.exit(code)"
    )
    result = run_command(
        *("--data-dir", data, "--log-dir", tmp_path, "--tasks", "id", "--quiet", "--xla"),
        *("--threads", "1", "--precision", "bfloat16", "--filters", "2", "--max-steps", "2"),
        program=("-c", code),
    )
    assert result.returncode == 0, result.stderr
    assert "threads: 1" in result.stdout
    settings = read_json(only_run(tmp_path) / "config.json")["settings"]
    named = {name: settings[name] for name in ("threads", "precision", "xla")}
    assert named == {"threads": 1, "precision": "bfloat16", "xla": True}


def test_equal_tasks_are_numbered_and_one_that_is_never_trained_is_named(data, tmp_path):
    flags = ("--tasks", "id", "inv", "id", "--max-steps", "6", "--task-time", "4", "--filters", "2")
    result = run_here("--data-dir", data, "--log-dir", tmp_path, *flags)
    assert "too few for a turn of id; lower --task-time" in result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith("step ")]
    assert "id (0) " in lines[0]
    assert "id (2) " in lines[0]
    folder = only_run(tmp_path)
    assert (folder / "test_task_0_id").is_dir()
    assert (folder / "test_task_2_id").is_dir()


def test_drawn_data_is_called_so(tmp_path):
    result = run_here("--fake-data", "--tasks", "dog", "--max-steps", "2", "--log-dir", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "DRAWN DATA" in result.stdout
    assert "test accuracy, %, on drawn data" in result.stdout
    folder = only_run(tmp_path)
    assert folder.relative_to(tmp_path).parts[:2] == ("fake", "t_dog")
    config = read_json(folder / "config.json")
    assert config["fake_data"] is True
    assert "drawn" in config["data"]["dogs"]["origin"]


def test_no_data_and_no_network(tmp_path, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the port that discards; nothing listens
    result = run_here("--tasks", "id", "--log-dir", tmp_path / "log")
    assert result.returncode == 2
    *notes, error = result.stderr.splitlines()
    assert len(notes) == 2 and all(note.startswith("note: ") for note in notes)
    files = ("train-images-idx3-ubyte.gz", "cache/multiple-tasks/mnist")
    assert all(text in error for text in (*files, "network", "--data-dir", "--fake-data"))
    assert not (tmp_path / "log").exists()
    assert not list((tmp_path / "cache").rglob("*.gz"))


def test_gpu_without_a_gpu(data, tmp_path):
    result = run_here("--gpu", "--data-dir", data, "--log-dir", tmp_path / "log")
    assert result.returncode == 2
    error = (
        "--gpu: TensorFlow sees no GPU; install its CUDA build with `pipenv install --categories"
    )
    assert f'{error} "packages gpu"`' in one_line(result)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: write_idx(d / "mnist/t10k-labels-idx1-ubyte", np.zeros(7)), "7 labels"),
        (lambda d: (d / "dogs/train/dingo3.jpg").unlink(), "missing"),
        (lambda d: (d / "dogs/train/dingo3.jpg").write_text("x"), "no JPEG or PNG image"),
    ],
)
def test_broken_data_is_refused_in_one_line(data_dir, tmp_path, damage, message):
    damage(data_dir)
    result = run_here("--data-dir", data_dir, "--log-dir", tmp_path / "log", "--quiet")
    assert result.returncode == 2
    assert message in one_line(result)
    assert not (tmp_path / "log").exists()
