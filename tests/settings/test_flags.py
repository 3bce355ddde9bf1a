"""Flags: their defaults, what follows from them, and refusals before TensorFlow is imported."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from data.class_names import CIFAR10
from runs.announcement import announce_run
from runs.request import processors, read_request
from settings import Settings, flag
from settings.parser import MAX_PRESET
from task import main
from tasks import TASKS
from tests.support.command import ROOT, one_line, run_command

BACKBONE = "--network resnet50 --image-size 32 --weights"
TOO_LONG = "x" * 300  # for a name in a file system


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--tasks id dgo", "--tasks: no task 'dgo' (did you mean dog?); there are dog, id, "),
        ("--tasks MNIST", "--tasks: no task 'MNIST' (did you mean mnist?); there are dog"),
        ("--task-time 0", "--task-time: expected a whole number, 1 to 10,000,000,000, got '0'"),
        ("--max-steps -5", "--max-steps: expected a whole number"),
        ("--batch 100000001", "--batch: expected a whole number, 1 to 100,000,000, got"),
        ("--batch 1.5", "--batch: expected a whole number, 1 to 100,000,000, got '1.5'"),
        ("--threads 99999999999", "--threads: expected a whole number, 1 to 1,024, got"),
        ("--seed -1", "--seed: expected a whole number, 0 to 9,223,372,036,854,775,807, got"),
        ("--dropout 0", "--dropout: expected a number above 0 and up to 1, got '0'"),
        ("--dropout 1.5", "--dropout: expected a number above 0 and up to 1"),
        ("--dropout nan", "--dropout: expected a number above 0 and up to 1"),
        ("--learning-rate 0", "--learning-rate: expected a number, 1.2e-38 to 3.4e+38, got '0'"),
        ("--learning-rate inf", "--learning-rate: expected a number, 1.2e-38 to 3.4e+38, got"),
        ("--learning-rate 1e-38", "--learning-rate: expected a number, 1.2e-38 to 3.4e+38, got"),
        ("--network fc conv", "--network fc conv: must end in fc"),
        ("--network fc conv fc", "a conv cannot follow an fc"),
        ("--network pool fc", "--network: there is no 'pool'; there are conv, fc, encoder, towers"),
        ("--filters 8 9", "--filters 8 9: one number for each conv at most"),
        ("--filters 8 --network fc", "--network fc has 0"),
        ("--hidden-units 9", "--network conv fc has no fc before the output"),
        ("--dropout 1e-20", "--dropout: expected a number above 0"),
        ("--fake-data --dog-breeds pug husky", "--dog-breeds: drawn dogs have breeds of their own"),
        ("--data-dir no/such", "--data-dir: there is no folder no/such"),
        ("--data-dog-dir no/such", "--data-dog-dir: there is no folder no/such"),
        ("--data-dir task.py", "--data-dir: there is no folder task.py"),
        (f"--data-dir {TOO_LONG}", "--data-dir: there is no folder xxx"),
        ("--log-dir task.py", "--log-dir: task.py cannot be used (it is no folder); name another"),
        ("--log-dir task.py/x", "--log-dir: task.py/x cannot be used (Not a directory)"),
        (f"--log-dir {TOO_LONG}", "cannot be used (File name too long); name another folder"),
        ("--pickle-file tests", "--pickle-file: tests cannot be used (it is no file); name an"),
        ("--dog-breeds pug", "--dog-breeds: expected 2 to 10 different breeds"),
        ("--dog-breeds pug husky pug", "--dog-breeds: expected 2 to 10 different breeds"),
        ("--no-such-flag", "unrecognized arguments: --no-such-flag"),
        ("--max 5", "unrecognized arguments"),
        ("--tasks fashion fashion-group", "--tasks: with --heads shared all must have equally"),
        ("--tasks fashion fashion-group", "they have fashion 10, fashion-group 3; name --heads"),
        ("--tasks cifar10:cta", "cifar10 has no 'cta' (did you mean cat?); it has airplane"),
        ("--tasks cifar100:cat", "cifar100 has no 'cat'; it has aquatic_mammals"),
        ("--schedule random --task-weights 1", "--task-weights: expected 2 numbers, one for each"),
        ("--schedule joint --task-weights 1 2 3", "expected 2 numbers, one for each task, got 3"),
        ("--schedule random --task-weights 0 0", "--task-weights: all are 0"),
        ("--schedule random --task-weights 1 -2", "expected a number, 0 or more, got '-2'"),
        ("--schedule random --task-weights 1 nan", "expected a number, 0 or more, got 'nan'"),
        ("--task-weights 1 2", "--schedule cycle gives every task the same time"),
        ("--schedule joint --task-time 5", "--task-time: --schedule joint has no turns"),
        ("--joint-loss sum", "--joint-loss: --schedule cycle trains one task at a step; name --s"),
        ("--schedule random --joint-loss mean", "--joint-loss: --schedule random trains one task"),
        ("--schedule often", "invalid choice: 'often'"),
        ("--epochs 2 --max-steps 5", "--epochs and --max-steps both say how long"),
        ("--epochs=2 --max-steps=5", "--epochs and --max-steps both say how long"),
        ("--epochs 0", "--epochs: expected a whole number, 1 to"),
        ("--image-size 7", "--image-size: expected a whole number, 8 to 16,384, got '7'"),
        ("--l2 -1", "--l2: expected a number, 0 to 3.4e+38, got '-1'"),
        ("--l2 -1e-9", "--l2: expected a number, 0 to 3.4e+38, got '-1e-9'"),
        ("--l2 1e39", "--l2: expected a number, 0 to 3.4e+38, got '1e39'"),
        ("--network towers fc", "--network towers fc: towers is a whole network; name it alone"),
        ("--network towers --heads shared", "has a column and an output for each task"),
        ("--network cross-stitch --heads shared", "has a column and an output for each task"),
        ("--network encoder --norm lrn", "--norm: --network encoder has no other norm than batch"),
        ("--network towers --norm none", "--norm: --network towers has no other norm than batch"),
        ("--network encoder --dropout 0.5", "--dropout: --network encoder has no dropout"),
        ("--network towers --filters 8", "--filters 8: one number for each conv at most"),
        ("--network towers --hidden-units 8", "--hidden-units: --network towers has no fc"),
        ("--network towers --stitch-init 1 0", "--stitch-init: --network towers has no cross-"),
        ("--network cross-stitch --stitch-init 1", "expected 2 arguments"),
        ("--network cross-stitch --stitch-init 1 inf", "expected a number, -3.4e+38 to 3.4e+38"),
        ("--weights imagenet", "--weights: --network conv fc has no backbone"),
        ("--freeze-backbone", "--freeze-backbone: --network conv fc has no backbone"),
        ("--network mobilenetv2 --image-size 31", "--network mobilenetv2 needs 32 or more"),
        ("--network resnet50", "--image-size 28: --network resnet50 needs 32 or more"),
        (f"{BACKBONE} imagenet --standardize", "--standardize: the weights of --weights imagenet"),
        (f"{BACKBONE} imagenet --input-style channelplex", "are for three channels of their own"),
        ("--fake-data --tasks fashion", "--fake-data: there are no drawn pictures for the task fa"),
        ("--fake-data --tasks omniglot", "no drawn pictures for the task omniglot"),
        ("--fake-data --tasks cifar10:*", "no drawn pictures for the task cifar10:*"),
        ("--tasks omniglot:Greek --data-dir tests", "Omniglot not found"),
        (f"{BACKBONE} no.h5", "--weights: there is no file 'no.h5'"),
        (f"{BACKBONE} {TOO_LONG}", "--weights: there is no file 'xxx"),
        ("@no/such.args", "@no/such.args: the file of flags cannot be read: No such"),
        ("@docs/tensorboard.png", "the file of flags cannot be read"),
    ],
)
def test_refused_in_one_line(flags, message, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(flags.split()) == 2
    output, line = capsys.readouterr()
    assert output == ""
    assert line.count("\n") == 1
    assert line.startswith("task.py: error: ")
    assert message in line


def test_the_tasks_are_listed_with_their_descriptions():
    lines = run_command("--list-tasks").stdout.splitlines()
    width = max(map(len, [*TASKS, "cifar100:<superclass>"])) + 2
    listed = {line[:width].strip(): line[width:] for line in lines}
    assert len(listed) == len(lines)
    families = ["omniglot", "cifar10:<class>", "cifar100:<superclass>", "omniglot:<alphabet>"]
    assert list(listed) == [*TASKS, *families, "mnist"]
    for name, task in TASKS.items():
        assert listed[name] == task.description
    assert listed["mnist"] == "another name for id"
    refused = one_line(run_command("--tasks", "dgo", "--dry-run"))
    expected = f"there are {', '.join([*TASKS, *families])} (--list-tasks describes them)\n"
    assert refused.endswith(expected)


def dry_run(flags):
    """Returns what --dry-run prints."""
    return read_request(flags.split())[1].to_json()


def test_defaults():
    result = run_command("--dry-run")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        **{"tasks": ["dog", "id"], "schedule": "cycle", "task_time": 2000, "task_weights": None},
        **{"joint_loss": None, "max_steps": 25000, "epochs": None},
        **{"input_style": "combined", "image_size": 28, "standardize": False},
        **{"network": ["conv", "fc"], "heads": "shared", "filters": [64], "hidden_units": None},
        **{"norm": "batch", "dropout": 0.9, "stitch_init": None, "weights": "none"},
        **{"freeze_backbone": False, "precision": "float32"},
        **{"optimizer": "sgd", "learning_rate": 0.1, "batch": 100, "l2": 0.0, "seed": 0},
        **{"data_dir": None, "data_dog_dir": None, "dog_breeds": None, "fake_data": False},
        **{"pickle_file": None, "use_pickle": False},
        **{"gpu": False, "threads": processors(), "xla": False},
        **{"log_dir": "log", "test_frequency": 100, "test_at_switches": True},
        **{"train_summary_frequency": 10, "checkpoint_frequency": 1000},
        **{"trace": False, "train_metadata_frequency": 1000, "quiet": False},
    }


def test_the_original_flags_are_accepted():
    settings = dry_run("""
        --gpu --input-style channelplex --fake-data --max-steps 7 --learning-rate 0.5 --dropout 0.8
        --optimizer adam --test-frequency 3 --train-metadata-frequency 4 --trace
        --train-summary-frequency 2 --batch 6 --network conv conv fc fc --use-pickle
        --pickle-file dogs.npz --task-time 9 --tasks id dog id --data-dir /data-mnist
        --data-dog-dir /data-dog --log-dir out
    """)
    assert settings["tasks"] == ["id", "dog", "id"]
    assert settings["dropout"] == 0.8
    assert settings["filters"] == [64, 128]
    assert settings["pickle_file"] == "dogs.npz"
    assert settings["data_dir"] == "/data-mnist"


@pytest.mark.parametrize(
    ("flags", "setting", "value"),
    [
        ("--network conv conv conv fc", "filters", [64, 128, 128]),
        ("--network conv conv conv fc --filters 8 16", "filters", [8, 16, 16]),
        ("--network fc", "filters", []),
        ("--network conv fc fc", "hidden_units", 500),
        ("--network fc fc --hidden-units 7", "hidden_units", 7),
        ("--network towers", "hidden_units", None),
        ("--network towers", "dropout", 0.9),
        ("--network encoder", "dropout", 1),
        ("--network encoder", "heads", "multi"),
        ("--network encoder --heads shared", "heads", "shared"),
        ("--network cross-stitch", "stitch_init", [1, 0]),
        ("--network cross-stitch --stitch-init 1 -1e-05", "stitch_init", [1, -1e-5]),
        ("--schedule random", "task_time", None),
        ("--schedule random", "joint_loss", None),
        ("--schedule joint", "joint_loss", "mean"),
        ("--schedule joint --joint-loss sum", "joint_loss", "sum"),
        ("--optimizer sgd", "learning_rate", 0.1),
        ("--optimizer adam", "learning_rate", 0.001),
        ("--optimizer adam --learning-rate 0.1", "learning_rate", 0.1),
        ("--task-time 10", "test_at_switches", True),
        ("--task-time 9", "test_at_switches", False),
        ("--task-time 9 --test-at-switches", "test_at_switches", True),
        ("--no-test-at-switches", "test_at_switches", False),
        ("--schedule random", "test_at_switches", False),
        ("--schedule joint", "test_at_switches", False),
        ("--threads 3", "threads", 3),
        ("--tasks mnist", "tasks", ["id"]),
        ("--tasks cifar10:3", "tasks", ["cifar10:cat"]),
        ("--tasks cifar10:* --heads multi", "tasks", [f"cifar10:{name}" for name in CIFAR10]),
    ],
)
def test_a_setting_follows_from_the_others(flags, setting, value):
    assert dry_run(flags)[setting] == value


@pytest.mark.parametrize(("keep", "noted"), [("0.49", True), ("0.5", False), ("1", False)])
def test_a_low_keep_probability_is_noted(keep, noted):
    _, settings = read_request(["--dropout", keep])
    config = {"tasks": [], "data": {}, "parameters": 9, "device": "CPU"}
    rows = announce_run(settings, config, Path("run"))
    note = ("", "note: --dropout is the probability to keep a value; 0.51 of them are dropped")
    assert (note in rows) == noted
    assert any("note" in text for _, text in rows) == noted


@pytest.mark.parametrize("loss", ["mean", "sum"])
def test_the_loss_of_a_joint_step_is_announced(loss):
    _, settings = read_request(["--schedule", "joint", "--joint-loss", loss])
    config = {"tasks": [], "data": {}, "parameters": 9, "device": "CPU"}
    schedule = dict(announce_run(settings, config, Path("run")))["schedule"]
    assert schedule == f"25,000 steps, each on all tasks, with the {loss} of their losses"


def test_flags_from_a_file(tmp_path):
    preset = tmp_path / "preset.args"
    preset.write_text(
        "# A comment, and one after a flag:\n--tasks id ref  # two\n\n--epochs 5 --seed 3\n"
    )
    settings = dry_run(f"@{preset}")
    assert (settings["tasks"], settings["epochs"], settings["seed"]) == (["id", "ref"], 5, 3)
    assert settings["max_steps"] is None  # known once the data is
    # Later flags override it; --max-steps takes the place of --epochs.
    settings = dry_run(f"@{preset} --max-steps 7 --seed 4 --tasks inv")
    assert (settings["epochs"], settings["max_steps"]) == (None, 7)
    assert (settings["tasks"], settings["seed"]) == (["inv"], 4)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("--tasks 'id", "the file of flags cannot be read"),
        ("@PRESET", "the file of flags names itself"),
        ("--epochs 2\n--max-steps 3", "--epochs and --max-steps both say how long"),
    ],
)
def test_a_file_that_holds_no_flags_is_refused(tmp_path, contents, message):
    preset = tmp_path / "preset.args"
    preset.write_text(contents.replace("PRESET", str(preset)))
    result = run_command(f"@{preset}")
    assert result.returncode == 2
    assert message in one_line(result)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (os.mkfifo, "it is no regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is no regular file"),
        (Path.mkdir, "Is a directory"),
        (lambda path: path.write_bytes(b"#" * (MAX_PRESET + 1)), "at most 100,000 bytes"),
    ],
)
def test_a_file_of_flags_that_may_never_end_is_refused(make, message, tmp_path, capsys):
    make(tmp_path / "preset.args")
    assert main([f"@{tmp_path}/preset.args"]) == 2
    output, line = capsys.readouterr()
    assert (output, line.count("\n")) == ("", 1)
    assert f"@{tmp_path}/preset.args: " in line and message in line


@pytest.mark.parametrize("chain", [("a", "a"), ("a", "b", "a"), ("a", "b", "../{}/b")])
def test_files_of_flags_that_name_themselves(chain, tmp_path, capsys):
    for name, named in pairwise(chain):
        (tmp_path / f"{name}.args").write_text(f"@{tmp_path}/{named.format(tmp_path.name)}.args")
    assert main([f"@{tmp_path}/a.args"]) == 2
    assert "the file of flags names itself, or another that names it" in capsys.readouterr().err


def test_a_file_of_flags_may_be_named_twice(tmp_path):
    preset = tmp_path / "preset.args"
    preset.write_text("--batch 7")
    _, settings = read_request([f"@{preset}", f"@{preset}"])
    assert settings.training.batch == 7


@pytest.mark.parametrize(
    "flags",
    [
        *("--filters 8 --network conv conv fc", "--tasks cifar10:* --heads multi", "--tasks mnist"),
        *("--schedule joint --joint-loss mean", "--optimizer adam --learning-rate 0.001"),
    ],
)
def test_a_resumption_may_repeat_the_flags_of_the_start(flags, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"settings": dry_run(flags)}))
    assert dry_run(f"--resume {tmp_path} {flags}") == dry_run(flags)


@pytest.mark.parametrize(
    "flags", ["--help", "--list-tasks", "--dry-run", "--tasks cifar10:* --dry-run", "--tasks x"]
)
def test_nothing_slow_is_imported_for_an_answer(flags):
    """Tests the cause, not the time: imports are what would make the answer slow."""
    code = (
        "import sys, task\n"
        "try: task.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('tensorflow', 'keras', 'numpy', 'PIL', 'rich') if m in sys.modules])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *flags.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert result.stdout.splitlines()[-1] == "[]", result.stderr


def test_help_names_every_flag_with_its_default():
    text = run_command("--help").stdout
    for name in Settings.declared():
        assert flag(name) in text
    rates = "0.1 for sgd, 0.001 for adam)"
    for default in ("dog id", "2000", "25000", rates, "0.9", "conv fc", "combined", "mean"):
        assert f"(default: {default}" in " ".join(text.split())
