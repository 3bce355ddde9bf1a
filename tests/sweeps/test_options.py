"""The flags of sweep.py, and the trials that follow from them."""

import pytest

import sweep
from errors import RequestError
from sweeps.options import read_options
from sweeps.trials import make_trials
from tests.support.command import ROOT, one_line, run_here

SWEEPS = sorted((ROOT / "experiments").glob("*.sweep"))


def trials(*arguments: str) -> list[tuple[str, tuple[str, ...]]]:
    """Returns each trial's label, and its flags without the threads."""
    return [(each.label, each.flags[2:]) for each in make_trials(read_options(arguments))]


def test_seeds_variants_and_varied_flags_multiply():
    found = trials(
        *("--tasks", "id", "ref", "--seeds", "0-1,5", "--vary", "network=conv fc,fc"),
        *("--variant", "--optimizer adam", "--variant=--standardize", "--vary", "xla=on,off"),
    )
    assert len(found) == 3 * 2 * 2 * 2
    assert len({label for label, _ in found}) == 24
    assert found[0] == (
        "--optimizer adam, network conv fc, xla on, seed 0",
        (
            "--optimizer",
            "adam",
            "--tasks",
            "id",
            "ref",
            "--network",
            "conv",
            "fc",
            "--xla",
            "--seed",
            "0",
        ),
    )
    assert found[-1] == (
        "--standardize, network fc, xla off, seed 5",
        ("--standardize", "--tasks", "id", "ref", "--network", "fc", "--seed", "5"),
    )


def test_one_run_without_any_flag():
    assert trials() == [("seed 0", ("--seed", "0"))]


def test_flags_of_a_sweep_may_stand_in_a_file(tmp_path):
    (tmp_path / "common.args").write_text("--tasks id ref  # both\n--max-steps 50\n")
    (tmp_path / "all.sweep").write_text(f"@{tmp_path}/common.args --seeds 3 --vary task-time=5,9")
    assert trials(f"@{tmp_path}/all.sweep", "--max-steps", "70") == [
        (
            f"task time {steps}, seed 3",
            (f"@{tmp_path}/common.args", "--max-steps", "70", "--task-time", steps, "--seed", "3"),
        )
        for steps in ("5", "9")
    ]


@pytest.mark.parametrize("name", SWEEPS, ids=lambda path: path.stem)
def test_sweeps_of_experiments(name):
    found = make_trials(read_options([f"@{name}", "--fake-data", "--max-steps", "600"]))
    assert len(found) in (6, 9)
    assert {trial.settings.tasks.max_steps for trial in found} == {600}
    assert {trial.settings.training.seed for trial in found} == {0, 1, 2}


def test_a_file_that_names_itself_is_refused(tmp_path):
    (tmp_path / "loop.sweep").write_text(f"--seeds 0-1 @{tmp_path}/loop.sweep")
    result = run_here(f"@{tmp_path}/loop.sweep", main=sweep.main)
    assert result.returncode == 2
    assert "the file of flags names itself" in one_line(result)


def test_flags_outside_of_a_variant_override_those_in_it(tmp_path):
    (tmp_path / "a.args").write_text("--tasks id --max-steps 50 --batch 7")
    (trial,) = make_trials(read_options(["--epochs", "2", "--variant", f"@{tmp_path}/a.args"]))
    settings = trial.settings
    assert (settings.tasks.epochs, settings.tasks.max_steps) == (2, None)
    assert settings.training.batch == 7


@pytest.mark.parametrize("flags", ["--list-tasks", "--dry-run"])
def test_files_of_flags_that_start_no_run_are_refused(flags, tmp_path):
    (tmp_path / "a.args").write_text(flags)
    result = run_here("--variant", f"@{tmp_path}/a.args", main=sweep.main)
    assert result.returncode == 2
    assert f"{flags}: it is no flag of a sweep; " in one_line(result)


def test_a_sweep_has_one_folder_of_the_log():
    variants = ("--variant", "--log-dir a", "--variant", "--log-dir b --batch 5")
    with pytest.raises(RequestError, match="--log-dir: a sweep has one"):
        trials(*variants)
    assert len(trials(*variants, "--log-dir", "a")) == 2


def test_a_folder_of_the_log_that_cannot_be_written_is_told_before_anything_runs(tmp_path):
    (tmp_path / "link").symlink_to("gone/too")
    places = ("--log-dir", tmp_path / "link", "--output", tmp_path / "report")
    result = run_here(*places, main=sweep.main)
    assert result.returncode == 2
    assert f"--log-dir: {tmp_path / 'link'} cannot be written" in one_line(result)


@pytest.mark.parametrize(
    ("flags", "labels"),
    [
        (["--vary", "--task-time=5,9"], ["task time 5", "task time 9"]),
        (["--vary", "task-time= 5 , 9"], ["task time 5", "task time 9"]),
        (["--vary", "pickle-file=a b.npz,c.npz"], ["pickle file a b.npz", "pickle file c.npz"]),
        (["--variant", "--standardize", "--variant", ""], ["--standardize", "variant 2"]),
        (["--vary", "data-dir=ünï x"], ["data dir ünï x"]),
    ],
)
def test_values_are_read_as_typed(flags, labels):
    assert [label for label, _ in trials("--fake-data", *flags)] == [
        f"{label}, seed 0" for label in labels
    ]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--surprise"], "unrecognized arguments: --surprise"),
        (["--vary", "surprise=1"], "there is no flag --surprise to vary"),
        (["--vary", "seed=1,2"], "name the seeds with --seeds"),
        (["--vary", "task-time="], "expected values, as in task-time=V1,V2"),
        (["--vary", "task-time=5,,9"], "expected values, as in task-time=V1,V2, got 'task-time=5,"),
        (["--vary", "filters=4 4,"], "expected values, as in filters=V1,V2, got 'filters=4 4,'"),
        (["--vary", "task-time=5 9"], "--task-time: expected a whole number"),
        (["--vary", "task-time=50,x"], "--task-time: expected a whole number"),
        (["--vary", "task-time=5,9", "--vary", "task-time=7"], "--vary task_time: named twice"),
        (["--vary", "standardize=yes,no"], "--standardize takes on and off, got 'yes'"),
        (["--task-time", "5", "--vary", "task-time=5,9"], "it is both fixed and varied"),
        (["--variant", "--batch 5", "--vary", "batch=5,9"], "it is both fixed and varied"),
        (["--no-test-at-switches", "--vary", "test-at-switches=on,off"], "both fixed and varied"),
        (["--variant", "--optimizer 'adam"], "No closing quotation in"),
        (["--variant", "--dry-run"], "--dry-run: it is no flag of a sweep"),
        (["--output", "README.md"], "--output: README.md cannot be written (File exists)"),
        (["--vary", "batch=5,5"], "two runs of the sweep are the same (batch 5, seed 0)"),
        (["--seed", "1", "--seeds", "0-2"], "--seed: it is no flag of a sweep; name the seeds"),
        (["--resume", "log"], "--resume: it is no flag of a sweep"),
        (["--seeds", "4-2"], "expected seeds such as 0-4 or 0,3,7, got '4-2'"),
        (["--seeds", "0,0"], "expected each seed once"),
        (["--seeds", "0-10000000"], "expected seeds such as"),
        (["--seeds", "-1"], "expected"),
        (["--at-once", "0"], "expected a whole number from 1"),
        (["@no/such.sweep"], "@no/such.sweep: the file of flags cannot be read"),
        (["--variant", "@no/such.args"], "@no/such.args: the file of flags cannot be read"),
        (["--tasks", "cat"], "cat"),
        (["--log-dir", "README.md"], "--log-dir: README.md cannot be used"),
        (["--vary", "network=conv fc,conv conv", "--seeds", "0-36"], "network conv conv, seed 0: "),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(flags, message, tmp_path):
    log_dir = [] if "--log-dir" in flags else ["--log-dir", str(tmp_path / "log")]
    result = run_here(*log_dir, *flags, main=sweep.main)
    assert result.returncode == 2
    assert message in one_line(result)
    assert not (tmp_path / "log").exists()
