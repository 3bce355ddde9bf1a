"""Flags that cannot work are refused in one line, and before TensorFlow is imported."""

import json
import subprocess
import sys

import pytest

from task import main
from tasks import TASKS
from tests.support.command import ROOT, one_line, run_command

TOO_LONG = "x" * 300  # for a name in a file system


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            "--tasks id dgo",
            "--tasks: no task 'dgo' (did you mean dog?); there are dog (up to ten breeds",
        ),
        ("--task-time 0", "--task-time: expected a whole number, 1 to 10,000,000,000, got '0'"),
        ("--max-steps -5", "--max-steps: expected a whole number"),
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
        ("--network pool fc", "invalid choice: 'pool'"),
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
        (
            "--pickle-file tests",
            "--pickle-file: tests cannot be used (it is no file); name another",
        ),
        ("--dog-breeds pug", "--dog-breeds: expected 2 to 10 different breeds"),
        ("--dog-breeds pug husky pug", "--dog-breeds: expected 2 to 10 different breeds"),
        ("--dog-breeds pug pug", "--dog-breeds: expected 2 to 10 different breeds"),
        ("--no-such-flag", "unrecognized arguments: --no-such-flag"),
        ("--max 5", "unrecognized arguments"),
        ("--tasks fashion fashion-group", "--heads shared: the tasks must have as many classes"),
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
        ("--schedule often", "invalid choice: 'often'"),
        ("--epochs 2 --max-steps 5", "--epochs and --max-steps both say how long"),
        ("--epochs=2 --max-steps=5", "--epochs and --max-steps both say how long"),
        ("--epochs 0", "--epochs: expected a whole number, 1 to"),
        ("--image-size 7", "--image-size: expected a whole number, 8 to 16,384, got '7'"),
        ("--l2 -1", "--l2: expected a number, 0 to 3.4e+38, got '-1'"),
        ("--l2 1e39", "--l2: expected a number, 0 to 3.4e+38, got '1e39'"),
        ("--network towers fc", "--network towers fc: towers is a whole network; name it alone"),
        ("--network towers --heads shared", "has a column and an output for each task"),
        ("--network cross-stitch --heads shared", "has a column and an output for each task"),
        ("--network encoder --norm lrn", "--norm lrn: --network encoder has batch normalisation"),
        ("--network towers --norm none", "--norm none: --network towers has batch normalisation"),
        ("--network encoder --dropout 0.5", "--dropout: --network encoder has no dropout"),
        ("--network towers --filters 8", "--filters 8: one number for each conv at most"),
        ("--network towers --hidden-units 8", "--hidden-units: --network towers has no fc"),
        ("--network towers --stitch-init 1 0", "--stitch-init: only --network cross-stitch"),
        ("--network cross-stitch --stitch-init 1", "expected 2 arguments"),
        ("--network cross-stitch --stitch-init 1 inf", "expected a number, -3.4e+38 to 3.4e+38"),
        ("--weights imagenet", "--weights: only --network mobilenetv2 and resnet50"),
        ("--freeze-backbone", "--freeze-backbone: only --network mobilenetv2 and resnet50"),
        ("--network mobilenetv2 --image-size 31", "--network mobilenetv2 needs 32 or more"),
        ("--network resnet50", "--image-size 28: --network resnet50 needs 32 or more"),
        (
            "--network resnet50 --image-size 32 --weights imagenet --standardize",
            "--standardize: the weights of --weights imagenet are for three channels",
        ),
        (
            "--network resnet50 --image-size 32 --weights imagenet --input-style channelplex",
            "--input-style channelplex: the weights of --weights imagenet",
        ),
        ("--fake-data --tasks fashion", "--fake-data: there are no drawn pictures for the task fa"),
        ("--fake-data --tasks omniglot", "no drawn pictures for the task omniglot"),
        ("--fake-data --tasks cifar10:*", "no drawn pictures for the task cifar10:*"),
        ("--tasks omniglot:Greek --data-dir tests", "Omniglot not found"),
        (
            "--network resnet50 --image-size 32 --weights no.h5",
            "--weights: there is no file 'no.h5'",
        ),
        (
            f"--network resnet50 --image-size 32 --weights {TOO_LONG}",
            "--weights: there is no file 'xxx",
        ),
        ("@no/such.args", "No such file or directory: 'no/such.args'"),
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


@pytest.mark.parametrize("flags", ["--tasks dgo", "--task-time 0"])
def test_refused_by_the_command(flags):
    result = run_command(*flags.split())
    assert result.returncode == 2
    assert one_line(result).startswith("task.py: error: ")


def test_the_tasks_are_listed_with_what_they_are():
    listed = run_command("--list-tasks")
    assert listed.returncode == 0
    refused = run_command("--tasks", "dgo", "--dry-run")
    for task in TASKS.values():
        assert f"({task.description})" in listed.stdout
        assert f"{task.name} ({task.description})" in refused.stderr
    for name in ("omniglot", "cifar10:<class>", "cifar100:<superclass>", "omniglot:<alphabet>"):
        assert f"\n{name} " in listed.stdout
        assert f", {name} (" in refused.stderr
    assert len(listed.stdout.splitlines()) == len(TASKS) + 4


def dry_run(*flags):
    result = run_command("--dry-run", *flags)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_defaults():
    settings = dry_run()
    assert settings == {
        "tasks": ["dog", "id"],
        "schedule": "cycle",
        "task_time": 2000,
        "task_weights": None,
        "max_steps": 25000,
        "epochs": None,
        "input_style": "combined",
        "image_size": 28,
        "standardize": False,
        "network": ["conv", "fc"],
        "heads": "shared",
        "filters": [64],
        "hidden_units": None,
        "norm": "batch",
        "dropout": 0.9,
        "stitch_init": None,
        "weights": "none",
        "freeze_backbone": False,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch": 100,
        "l2": 0.0,
        "seed": 0,
        "data_dir": None,
        "data_dog_dir": None,
        "dog_breeds": None,
        "fake_data": False,
        "pickle_file": None,
        "use_pickle": False,
        "gpu": False,
        "threads": None,
        "precision": "float32",
        "xla": False,
        "log_dir": "log",
        "test_frequency": 100,
        "train_summary_frequency": 10,
        "checkpoint_frequency": 1000,
        "trace": False,
        "train_metadata_frequency": 1000,
        "quiet": False,
    }


def test_the_original_flags_are_taken():
    flags = """
        --gpu --input-style channelplex --fake-data --max-steps 7 --learning-rate 0.5 --dropout 0.8
        --optimizer adam --test-frequency 3 --train-metadata-frequency 4 --trace
        --train-summary-frequency 2 --batch 6 --network conv conv fc fc --use-pickle
        --pickle-file dogs.npz --task-time 9 --tasks id dog id --data-dir /data-mnist
        --data-dog-dir /data-dog --log-dir out
    """
    settings = dry_run(*flags.split())
    assert settings["tasks"] == ["id", "dog", "id"]
    assert settings["dropout"] == 0.8
    assert settings["filters"] == [64, 128]
    assert settings["pickle_file"] == "dogs.npz"
    assert settings["data_dir"] == "/data-mnist"


def test_filters_are_resolved():
    deep = ("--network", "conv", "conv", "conv", "fc")
    assert dry_run(*deep)["filters"] == [64, 128, 128]
    assert dry_run(*deep, "--filters", "8", "16")["filters"] == [8, 16, 16]
    assert dry_run("--network", "fc")["filters"] == []


def test_hidden_units_are_resolved_where_there_are_any():
    assert dry_run("--network", "conv", "fc", "fc")["hidden_units"] == 500
    assert dry_run("--network", "fc", "fc", "--hidden-units", "7")["hidden_units"] == 7
    assert dry_run("--network", "towers")["hidden_units"] is None


def test_what_follows_from_the_network():
    assert dry_run("--network", "encoder")["heads"] == "multi"
    assert dry_run("--network", "encoder")["dropout"] == 1
    assert dry_run("--network", "encoder", "--heads", "shared")["heads"] == "shared"
    assert dry_run("--network", "towers")["dropout"] == 0.9
    assert dry_run("--network", "cross-stitch")["stitch_init"] == [1, 0]
    assert dry_run("--schedule", "random")["task_time"] is None


def test_a_star_names_them_all():
    settings = dry_run("--tasks", "cifar10:*", "--heads", "multi")
    assert len(settings["tasks"]) == 10
    assert settings["tasks"][3] == "cifar10:cat"
    assert dry_run("--tasks", "cifar10:3")["tasks"] == ["cifar10:cat"]


def test_flags_from_a_file(tmp_path):
    preset = tmp_path / "preset.args"
    preset.write_text(
        "# A comment, and one after a flag:\n--tasks id ref  # two\n\n--epochs 5 --seed 3\n"
    )
    settings = dry_run(f"@{preset}")
    assert (settings["tasks"], settings["epochs"], settings["seed"]) == (["id", "ref"], 5, 3)
    assert settings["max_steps"] is None  # known once the data is
    # What follows overrides it, the other way to say how long as well.
    settings = dry_run(f"@{preset}", "--max-steps", "7", "--seed", "4", "--tasks", "inv")
    assert (settings["epochs"], settings["max_steps"]) == (None, 7)
    assert (settings["tasks"], settings["seed"]) == (["inv"], 4)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("--tasks 'id", "the file of flags cannot be read"),
        ("@PRESET", "the file of flags cannot be read"),
        ("--epochs 2\n--max-steps 3", "--epochs and --max-steps both say how long"),
    ],
)
def test_a_file_of_flags_that_is_none(tmp_path, contents, message):
    preset = tmp_path / "preset.args"
    preset.write_text(contents.replace("PRESET", str(preset)))
    result = run_command(f"@{preset}")
    assert result.returncode == 2
    assert message in one_line(result)


@pytest.mark.parametrize(
    "flags", ["--help", "--list-tasks", "--dry-run", "--tasks cifar10:* --dry-run", "--tasks x"]
)
def test_nothing_slow_is_imported_for_an_answer(flags):
    """The answer's time is not tested, but what would make it slow is."""
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
    for flag in dry_run():
        assert f"--{flag.replace('_', '-')}" in text
    for default in ("dog id", "2000", "25000", "0.1", "0.9", "conv fc", "combined"):
        assert f"(default: {default}" in " ".join(text.split())
