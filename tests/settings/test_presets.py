"""Every preset in `experiments/`, on real data where it is at hand, shortened to a few steps."""

import json
import re
import shutil

import pytest

import evaluate
from runs.request import read_request
from task import main
from tests.support.command import ROOT
from tests.support.reading import only_run, read_metrics

DATA = ROOT.parent / "shared" / "data"
PRESETS = sorted(path.stem for path in (ROOT / "experiments").glob("*.args"))

needs_data = pytest.mark.skipif(
    not (DATA / "omniglot").is_dir(),
    reason=f"no real data: put all datasets into {DATA} (see docs/data.md on where to get them)",
)


@pytest.fixture(scope="module")
def decoded_dogs(tmp_path_factory):
    """The cache of the decoded dogs, which all presets share."""
    return tmp_path_factory.mktemp("dogs") / "dogs.npz"


@needs_data
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_runs_shortened(name, tmp_path, decoded_dogs):
    flags = [f"@{ROOT / 'experiments' / name}.args", "--data-dir", str(DATA), "--max-steps", "2"]
    flags += ["--log-dir", str(tmp_path), "--pickle-file", str(decoded_dogs), "--quiet"]
    assert main(flags) == 0
    folder = only_run(tmp_path)
    last = read_metrics(folder)[-1]
    assert last["step"] == 2
    assert len(last["accuracy"]) == len(json.loads((folder / "config.json").read_text())["tasks"])
    if name.endswith("-scored-per-task"):
        family = name.partition("-")[0]
        assert evaluate.main([str(folder), "--tasks", f"{family}:*", "--quiet"]) == 0
        results = json.loads((folder / "evaluation.json").read_text())["tasks"]
        assert len(results) == {"cifar10": 10, "cifar100": 20, "omniglot": 8}[family]
    shutil.rmtree(tmp_path)  # twenty heads are some hundred megabytes


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_it_is_its_source_and_its_result(name):
    what, source, result, *_ = comments_of(name)
    assert re.match(r"# [A-Z].*\.$", what)
    assert re.search(r"David Mack, .*\(2018\)$|https://github\.com/\S+$", source)
    assert re.match(r"# Result \(.*\): .*\d %", result)


def comments_of(name):
    """The lines of a preset that are comments."""
    lines = (ROOT / "experiments" / f"{name}.args").read_text().splitlines()
    return [line for line in lines if line.startswith("#")]


def check(name, **expected):
    """Resolves a preset, and compares some of its settings."""
    data = ["--data-dir", str(DATA)] if DATA.is_dir() else []
    _, settings = read_request([f"@{ROOT / 'experiments' / name}.args", *data])
    values = settings.values()
    assert {setting: values[setting] for setting in expected} == expected
    return values


@pytest.mark.parametrize("network", ["towers", "cross-stitch"])
def test_the_published_settings_on_clothes(network):
    check(
        f"fashion-{network}",
        **{"tasks": ("fashion", "fashion-group"), "network": (network,), "schedule": "joint"},
        **{"joint_loss": "sum", "epochs": 30},
        **{"optimizer": "adam", "learning_rate": 0.001, "batch": 128},
        **{"dropout": 0.8, "l2": 1e-5, "standardize": True},
    )


SETTINGS = (
    *("classifier", "classifier-scored-per-task", "single-task", "random-task"),
    *("random-task-weighted", "joint", "joint-weighted"),
)
SCHEDULES = {3: "random", 4: "random", 5: "joint", 6: "joint"}


@pytest.mark.parametrize(
    ("dataset", "setting"),
    [
        *(("cifar10", setting) for setting in range(7)),
        *(("cifar100", setting) for setting in range(5)),
        # The real data says which alphabets there are.
        *(pytest.param("omniglot", setting, marks=needs_data) for setting in range(5)),
    ],
)
def test_the_seven_settings(dataset, setting):
    name = f"{dataset}-{SETTINGS[setting]}"
    assert comments_of(name)[1].startswith(f"# Setting {setting} of ")
    tasks = 1 if setting < 3 else {"cifar10": 10, "cifar100": 20, "omniglot": 8}[dataset]
    values = check(
        name,
        **{"network": ("encoder",), "heads": "multi", "image_size": 32, "epochs": 20},
        **{"optimizer": "sgd", "learning_rate": 0.1, "batch": 128},
        schedule=SCHEDULES.get(setting, "cycle"),
        joint_loss="sum" if SCHEDULES.get(setting) == "joint" else None,
        task_weights=tuple(range(1, tasks + 1)) if setting in (4, 6) else None,
    )
    assert len(values["tasks"]) == tasks
