"""Flags that cannot work are refused in one line, and before TensorFlow is imported."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT, one_line, run_command

from tasks import TASKS


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            "--tasks id dgo",
            "--tasks: no task 'dgo' (did you mean dog?); there are dog (up to ten breeds",
        ),
        ("--task-time 0", "--task-time: expected a whole number, 1 or more, got '0'"),
        ("--max-steps -5", "--max-steps: expected a whole number"),
        ("--batch 1.5", "--batch: expected a whole number, 1 or more, got '1.5'"),
        ("--seed -1", "--seed: expected a whole number, 0 or more"),
        ("--dropout 0", "--dropout: expected a number above 0 and up to 1, got '0'"),
        ("--dropout 1.5", "--dropout: expected a number above 0 and up to 1"),
        ("--dropout nan", "--dropout: expected a number above 0 and up to 1"),
        ("--learning-rate 0", "--learning-rate: expected a number above 0"),
        ("--learning-rate inf", "--learning-rate: expected a number above 0"),
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
        ("--dog-breeds pug", "--dog-breeds: expected 2 to 10 different breeds"),
        ("--dog-breeds pug pug", "--dog-breeds: expected 2 to 10 different breeds"),
        ("--no-such-flag", "unrecognized arguments: --no-such-flag"),
        ("--max 5", "unrecognized arguments"),
    ],
)
def test_refused_in_one_line(flags, message):
    result = run_command(*flags.split())
    assert result.returncode == 2
    line = one_line(result)
    assert line.startswith("task.py: error: ")
    assert message in line


def test_the_tasks_are_listed_with_what_they_are():
    listed = run_command("--list-tasks")
    assert listed.returncode == 0
    refused = run_command("--tasks", "dgo", "--dry-run")
    for task in TASKS.values():
        assert f"({task.description})" in listed.stdout
        assert f"{task.name} ({task.description})" in refused.stderr
    assert len(listed.stdout.splitlines()) == len(TASKS)


def dry_run(*flags):
    result = run_command("--dry-run", *flags)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_defaults():
    settings = dry_run()
    assert settings == {
        "tasks": ["dog", "id"],
        "task_time": 2000,
        "max_steps": 25000,
        "input_style": "combined",
        "network": ["conv", "fc"],
        "filters": [64],
        "hidden_units": 500,
        "norm": "batch",
        "dropout": 0.9,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch": 100,
        "seed": 0,
        "data_dir": None,
        "data_dog_dir": None,
        "dog_breeds": None,
        "fake_data": False,
        "pickle_file": None,
        "use_pickle": False,
        "gpu": False,
        "log_dir": "log",
        "test_frequency": 100,
        "train_summary_frequency": 10,
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


@pytest.mark.parametrize("flags", ["--help", "--list-tasks", "--dry-run", "--tasks dgo"])
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
        assert f"(default: {default})" in " ".join(text.split())
