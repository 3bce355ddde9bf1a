"""The whole command at tiny size: what it prints, the folder it leaves, and how it refuses."""

import json
import re
import shlex
import subprocess
import sys
from statistics import fmean

import numpy as np
import pytest
import tensorflow as tf
from settings.checks import chosen_tasks

from data.loading import load_datasets
from settings import parse_flags
from tests.support.command import ROOT, one_line, run_command
from tests.support.datasets import write_idx, write_kaggle, write_mnist
from tests.support.reading import accumulate, only_run, read_curves, read_metrics
from training.trainer import Trainer

TASKS = ("dog", "id", "noise")
TINY = (
    *("--task-time", "4", "--max-steps", "10", "--test-frequency", "3", "--batch", "5"),
    *("--train-summary-frequency", "2", "--filters", "4"),
)
# Tests at step 0, at every third step, and at the last; points of training at every second.
TESTS = [0, 3, 6, 9, 10]
POINTS = [2, 4, 6, 8, 10]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run of three tasks on tiny files: its folder, and what the command printed."""
    base = tmp_path_factory.mktemp("command")
    write_mnist(base / "data" / "mnist")
    write_kaggle(base / "data" / "dogs")
    result = run_command(
        *("--data-dir", base / "data", "--log-dir", base / "log", "--tasks", *TASKS, *TINY)
    )
    assert result.returncode == 0, result.stderr
    return only_run(base / "log"), result


def test_folder_is_named_by_the_axes(run):
    folder, _ = run
    *axes, time = folder.parts[-6:]
    assert axes == ["t_dog_id_noise", "combined", "sgd", "n_conv_fc", "tt4"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", time)


def test_folder_holds_what_the_contract_says(run):
    folder, _ = run
    curves = [f"{kind}_task_{i}_{n}" for kind in ("train", "test") for i, n in enumerate(TASKS)]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [
            *curves,
            "train",
            "test",
            "checkpoints",
            "config.json",
            "metrics.jsonl",
            "summary.json",
            ".lock",
        ]
    )


def test_test_curves(run):
    folder, _ = run
    metrics = read_metrics(folder)
    assert [line["step"] for line in metrics] == TESTS
    assert [line["trained"] for line in metrics] == [None, 0, 1, 2, 2]
    for line in metrics:
        assert list(line) == ["step", "trained", "accuracy", "loss", "mean_accuracy"]
        assert line["mean_accuracy"] == fmean(line["accuracy"])
        # Every image once: 3 photographs are held out, and there are 25 digits.
        assert [a * n % 1 for a, n in zip(line["accuracy"], (3, 25, 25), strict=True)] == (
            pytest.approx([0, 0, 0], abs=1e-9)
        )
    overall = read_curves(folder / "test")
    assert list(overall) == ["accuracy"]
    assert overall["accuracy"] == [(m["step"], pytest.approx(m["mean_accuracy"])) for m in metrics]
    for index, name in enumerate(TASKS):
        curves = read_curves(folder / f"test_task_{index}_{name}")
        assert sorted(curves) == ["accuracy", "loss"]
        for tag, points in curves.items():
            assert points == [(m["step"], pytest.approx(m[tag][index])) for m in metrics]


def test_training_curves(run):
    folder, _ = run
    curves = read_curves(folder / "train")
    assert sorted(curves) == ["accuracy", "learning_rate", "loss", "task"]
    for points in curves.values():
        assert [step for step, _ in points] == POINTS
    assert [value for _, value in curves["task"]] == [0, 0, 1, 1, 2]
    assert [value for _, value in curves["learning_rate"]] == pytest.approx([0.1] * 5)
    for index, (name, steps) in enumerate(zip(TASKS, ([2, 4], [6, 8], [10]), strict=True)):
        mine = read_curves(folder / f"train_task_{index}_{name}")
        assert sorted(mine) == ["accuracy", "loss"]
        for tag, points in mine.items():
            # Two steps to a point, both of one task: its points are those of all training.
            assert points == [point for point in curves[tag] if point[0] in steps]


def test_graph_and_settings_are_in_tensorboard(run):
    folder, _ = run
    events = accumulate(folder / "train")
    assert events.Graph().node
    (text,) = tf.make_ndarray(events.Tensors("settings")[0].tensor_proto).reshape(-1)
    assert "| `task_time` | 4 |" in text.decode()


def test_config(run):
    folder, _ = run
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"]["tasks"] == list(TASKS)
    assert config["settings"]["filters"] == [4]
    assert config["seed"] == 0
    assert config["fake_data"] is False
    assert config["data"]["mnist"]["train"] == 40
    assert config["data"]["mnist"]["origin"].startswith("MNIST from ")
    assert config["data"]["dogs"]["classes"] == ["beagle", "collie", "dingo"]
    assert config["versions"]["tensorflow"] == tf.__version__
    assert "--task-time 4" in config["command"]
    # 5×5×3×4 + 4 of the convolution, 4×4 of the normalisation, 14×14×4×10 + 10 of the output.
    assert config["parameters"] == 304 + 16 + 7850


def test_summary(run):
    folder, _ = run
    summary = json.loads((folder / "summary.json").read_text())
    metrics = read_metrics(folder)
    assert summary["step"] == 10
    for index, task in enumerate(summary["tasks"]):
        accuracies = [line["accuracy"][index] for line in metrics]
        assert task["name"] == TASKS[index]
        assert task["best"] == max(accuracies)
        assert task["final"] == accuracies[-1]


def test_checkpoint_holds_what_was_learned(run):
    folder, _ = run
    latest = tf.train.latest_checkpoint(folder / "checkpoints")
    assert latest.endswith("ckpt-10")
    data = ("--data-dir", str(folder.parents[6] / "data"))
    settings = parse_flags([*data, "--tasks", *TASKS, *TINY])
    trainer = Trainer(settings, chosen_tasks(settings), load_datasets(["mnist", "dogs"], settings))
    for variable in trainer.network.trainable_variables:
        variable.assign(tf.ones_like(variable))
    trainer.take_up(folder)
    assert trainer.step == 10
    last = read_metrics(folder)[-1]
    tallies = [loop.test() for loop in trainer.evaluations[:2]]
    assert [tally[i].accuracy for i, tally in enumerate(tallies)] == last["accuracy"][:2]
    assert [tally[i].loss for i, tally in enumerate(tallies)] == pytest.approx(last["loss"][:2])
    assert int(trainer.optimizer.iterations) == 10


def test_plain_output(run):
    folder, result = run
    assert "\x1b" not in result.stdout
    assert "\r" not in result.stdout
    for text in (
        "Decoding 30 pictures",
        "dog: up to ten breeds of dog, photographs in colour; 27 to train, 3 to test",
        "id: MNIST digits as they are; 40 to train, 25 to test",
        "8,170 parameters",
        str(folder),
        "tensorboard --logdir",
    ):
        assert text in result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith("step ")]
    assert [line.split()[1] for line in lines] == [f"{step}/10" for step in TESTS]
    *table, last = result.stdout.splitlines()[-5:]
    assert [line.split()[0] for line in table] == [*TASKS, "mean"]
    assert last == f"all of it is in {folder}"


def test_tensorflow_is_silent(run):
    _, result = run
    assert result.stderr == ""


def start(tmp_path, *flags):
    write_mnist(tmp_path / "mnist")
    return run_command(
        *("--data-dir", tmp_path, "--log-dir", tmp_path / "log", "--quiet", *TINY, *flags)
    )


def test_equal_runs_give_equal_files_and_other_seeds_others(tmp_path):
    contents = []
    for number, seed in enumerate((1, 1, 2)):
        result = start(tmp_path / str(number), "--tasks", "id", "noise", "id", "--seed", seed)
        assert result.returncode == 0, result.stderr
        folder = only_run(tmp_path / str(number) / "log")
        contents.append((folder / "metrics.jsonl").read_bytes())
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]
    assert (folder / "test_task_0_id").is_dir()
    assert (folder / "test_task_2_id").is_dir()


def test_quiet_prints_the_table_alone(tmp_path):
    result = start(tmp_path, "--tasks", "id")
    assert result.stderr == ""
    lines = [line for line in result.stdout.splitlines() if line.strip(" ─")]
    assert [line.split()[0] for line in lines] == ["test", "task", "id", "mean"]


def test_deeper_network_other_style_and_optimizer(tmp_path):
    result = start(
        tmp_path,
        *("--tasks", "inv", "--network", "conv", "conv", "fc", "fc", "--norm", "lrn"),
        *("--input-style", "channelplex", "--optimizer", "adam", "--hidden-units", "6"),
    )
    assert result.returncode == 0, result.stderr
    folder = only_run(tmp_path / "log")
    assert folder.parts[-5:-1] == ("channelplex", "adam", "n_conv_conv_fc_fc", "tt4")
    config = json.loads((folder / "config.json").read_text())
    convolutions = 5 * 5 * 4 * 4 + 4 + 5 * 5 * 4 * 4 + 4
    assert config["parameters"] == convolutions + 7 * 7 * 4 * 6 + 6 + 6 * 10 + 10


@pytest.mark.parametrize(
    ("test_frequency", "when"),
    [(100, "in training step 2"), (1, "when tested after step 1")],
)
def test_a_loss_that_is_no_number_ends_the_run(tmp_path, test_frequency, when):
    flags = ("--tasks", "id", "--learning-rate", "1e30", "--norm", "none", "--max-steps", "50")
    often = ("--checkpoint-frequency", "1")
    result = start(tmp_path, *flags, *often, "--test-frequency", test_frequency)
    assert result.returncode == 1
    assert re.search(
        rf"failed: the loss of task id became (nan|inf) {when}, at learning rate 1e\+30; "
        r"the last that was a number is [\d.]+; start again with a smaller --learning-rate",
        one_line(result),
    )
    folder = only_run(tmp_path / "log")
    assert [line["step"] for line in read_metrics(folder)] == [0]
    assert [path.name for path in (folder / "checkpoints").glob("*.index")] == ["ckpt-1.index"]


def test_a_run_goes_on_without_its_reader(tmp_path):
    write_mnist(tmp_path / "mnist")
    flags = ("--tasks", "id", "--filters", "2", "--max-steps", "40", "--test-frequency", "4")
    command = [sys.executable, "task.py", "--data-dir", tmp_path, "--log-dir", tmp_path / "log"]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, *flags], cwd=ROOT, **pipe)
    assert process.stdout.readline().startswith("tasks ")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 0
    assert json.loads((only_run(tmp_path / "log") / "summary.json").read_text())["step"] == 40


@pytest.mark.parametrize(
    ("output", "code", "errors"),
    [
        ("| head -c 1 > /dev/null", 0, ""),
        (">&-", 0, ""),
        ("> /dev/full", 1, "task.py: failed: [Errno 28] No space left on device\n"),
    ],
)
def test_what_cannot_be_printed(output, code, errors):
    shell = f"set -o pipefail; {shlex.quote(sys.executable)} task.py --dry-run {output}"
    result = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (code, errors)


def test_the_users_own_keras_settings_change_nothing(tmp_path):
    write_mnist(tmp_path / "mnist")
    (tmp_path / ".keras").mkdir()
    settings = {"image_data_format": "channels_first", "floatx": "float16", "backend": "jax"}
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    result = run_command(
        *("--data-dir", tmp_path, "--log-dir", tmp_path / "log", "--tasks", "id", *TINY),
        HOME=str(tmp_path),
        KERAS_BACKEND="numpy",
    )
    assert result.returncode == 0, result.stderr
    assert "8,170 parameters" in result.stdout


def test_a_folder_that_takes_no_more_ends_the_run_in_one_line(tmp_path):
    write_mnist(tmp_path / "mnist")
    code = (
        "import resource, signal, sys, task\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))\n"
        "sys.exit(task.main(sys.argv[1:]))\n"
    )
    flags = ("--data-dir", tmp_path, "--log-dir", tmp_path / "log", "--tasks", "id", "--quiet")
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, flags), "--filters", "2", "--max-steps", "2000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert one_line(result).startswith("task.py: failed: ")


def test_threads_precision_and_xla_reach_the_run(data_dir, tmp_path):
    code = (
        "import sys, task; code = task.main(sys.argv[1:]); from tensorflow import config; "
        "print('threads:', config.threading.get_intra_op_parallelism_threads()); sys.exit(code)"
    )
    flags = ("--data-dir", data_dir, "--log-dir", tmp_path, "--tasks", "id", "--quiet", "--xla")
    more = ("--threads", "1", "--precision", "bfloat16", "--filters", "2", "--max-steps", "2")
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, (*flags, *more))],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "threads: 1" in result.stdout
    settings = json.loads(next(tmp_path.rglob("config.json")).read_text())["settings"]
    named = {name: settings[name] for name in ("threads", "precision", "xla")}
    assert named == {"threads": 1, "precision": "bfloat16", "xla": True}


def test_a_task_whose_turn_does_not_come_is_named(tmp_path):
    write_mnist(tmp_path / "mnist")
    result = run_command(
        *("--data-dir", tmp_path, "--log-dir", tmp_path / "log", "--tasks", "id", "inv", "id"),
        *("--max-steps", "6", "--task-time", "4", "--filters", "2"),
    )
    assert "too few for a turn of id; lower --task-time" in result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith("step ")]
    assert "id (0) " in lines[0]
    assert "id (2) " in lines[0]


def test_no_control_characters_in_a_file_whatever_the_environment(tmp_path):
    write_mnist(tmp_path / "mnist")
    result = run_command(
        *("--data-dir", tmp_path, "--log-dir", tmp_path / "log", "--tasks", "id", *TINY),
        FORCE_COLOR="1",
        PYTHONIOENCODING="ascii",
    )
    assert result.returncode == 0, result.stderr
    assert "\x1b" not in result.stdout
    assert "step 10/10" in result.stdout


def test_drawn_data_says_so(tmp_path):
    result = run_command(
        *("--fake-data", "--tasks", "dog", "--max-steps", "2", "--log-dir", tmp_path / "log")
    )
    assert result.returncode == 0, result.stderr
    assert "DRAWN DATA" in result.stdout
    assert "test accuracy, %, on drawn data" in result.stdout
    folder = only_run(tmp_path / "log")
    assert folder.relative_to(tmp_path / "log").parts[:2] == ("fake", "t_dog")
    config = json.loads((folder / "config.json").read_text())
    assert config["fake_data"] is True
    assert "drawn" in config["data"]["dogs"]["origin"]


def no_folder_is_left(tmp_path):
    return not (tmp_path / "log").exists()


def test_gpu_without_a_gpu(data_dir, tmp_path):
    result = run_command("--gpu", "--data-dir", data_dir, "--log-dir", tmp_path / "log")
    assert result.returncode == 2
    line = one_line(result)
    assert "--gpu: TensorFlow sees no GPU" in line
    assert 'pipenv install --categories "packages gpu"' in line
    assert no_folder_is_left(tmp_path)


def test_no_data_and_no_network(tmp_path):
    nowhere = "http://127.0.0.1:9"  # the port that discards; nothing listens
    result = run_command(
        *("--tasks", "id", "--log-dir", tmp_path / "log"),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        https_proxy=nowhere,
        HTTPS_PROXY=nowhere,
    )
    assert result.returncode == 2
    *notes, error = result.stderr.splitlines()
    assert len(notes) == 2 and all(note.startswith("note: ") for note in notes)
    for text in ("train-images-idx3-ubyte.gz", "cache/multiple-tasks/mnist", "--data-dir"):
        assert text in error
    assert "network" in error
    assert "--fake-data" in error
    assert no_folder_is_left(tmp_path)
    assert not list((tmp_path / "cache").rglob("*.gz"))


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
    result = run_command("--data-dir", data_dir, "--log-dir", tmp_path / "log", "--quiet")
    assert result.returncode == 2
    assert message in one_line(result)
    assert no_folder_is_left(tmp_path)


def test_log_dir_that_cannot_be_written(data_dir, tmp_path):
    (tmp_path / "file").write_text("")
    result = run_command(
        *("--data-dir", data_dir, "--tasks", "id", "--log-dir", tmp_path / "file", "--quiet")
    )
    assert result.returncode == 2
    assert f"--log-dir: {tmp_path / 'file'} cannot be used (it is no folder)" in one_line(result)
