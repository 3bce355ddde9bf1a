"""The command, as a user runs it."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import report
from reports import writing
from tests.support.command import ROOT, one_line, run_command, run_here
from tests.support.run_folders import rising, write_run


def test_a_report_of_several_runs(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / str(n), rising(2, 9), seed=n) for n in range(2)]
    runs.append(write_run(tmp_path / "adam|", rising(2, 9), optimizer="adam"))
    unfinished = write_run(tmp_path / "cut", rising(2, 3), task_time=9, max_steps=900)
    empty, output = write_run(tmp_path / "empty", []), tmp_path / "out"
    flags = [*runs, unfinished, empty, "--output", output]
    result = run_command(*flags, program=["report.py"], PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"left out: `{empty}`" in result.stdout
    assert "unfinished: 200 of 900 steps" in result.stdout
    figures = sorted(path.stem for path in output.glob("*.png"))
    assert len(figures) == 6
    for name in figures:
        assert f"  {output / name}.png, .svg, .pdf\n" in result.stdout
        assert all((output / f"{name}.{form}").stat().st_size for form in ("svg", "pdf"))
    assert f"  {output / 'report.html'}, report.md, table.tex, summary.csv, results.csv\n" in (
        result.stdout
    )
    assert len(list(output.iterdir())) == 3 * 6 + 5
    text = (output / "report.md").read_text(encoding="utf-8")
    assert text.count("![") == 6 and all(f"]({name}.png)" in text for name in figures)
    assert "± " in text and f"left out: `{empty}`" in text
    assert all(f"`{run}`" in text for run in runs)
    assert (output / "results.csv").read_bytes().count(b"\r\n") == 5
    assert (output / "summary.csv").read_bytes().count(b"\r\n") == 4


def test_a_report_says_what_a_setting_does(tmp_path: Path) -> None:
    for time, final in ((200, 0.5), (9, 0.6)):
        for seed in (0, 1):
            accuracies = [[0.9, 0.9], [final + seed / 10] * 2]
            write_run(tmp_path / "log" / f"{time} {seed}", accuracies, task_time=time, seed=seed)
    output = tmp_path / "out"
    result = run_here(tmp_path / "log", "--output", output, main=report.main)
    answer = result.stdout.splitlines()[-1]
    assert answer.startswith(
        "task time 200 in place of 9: final average accuracy 10.0 points lower"
    )
    text = (output / "report.md").read_text()
    assert f"# Report\n\n- {answer}\n\n|" in text and "Student's t" in text
    assert "](results-against-task-time.png)" in text
    # A sweep knows what it varied.
    text = writing.write_report([tmp_path / "log"], output, ["seed"])
    assert "in place of" not in text and text.endswith(".pdf")


def test_a_wrong_request_is_refused_in_one_line(tmp_path: Path) -> None:
    output = tmp_path / "out"
    for arguments in ([], ["--nonsense", "x"], [tmp_path / "two\nlines"]):
        result = run_command(*arguments, "--output", output, program=["report.py"])
        assert one_line(result).startswith("report.py: error: ") and result.returncode == 2
        assert not output.exists()


def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    run, file = write_run(tmp_path / "run", [[0.1, 0.1]]), tmp_path / "file"
    file.write_text("")
    (tmp_path / "out" / "report.md").mkdir(parents=True)
    for output, expected in (
        (file, f"--output: {file} cannot be written"),
        (file / "below", f"--output: {file / 'below'} cannot be written"),
        (tmp_path / "out", "report.md cannot be written"),
    ):
        result = run_here(run, "--output", output, main=report.main)
        assert expected in one_line(result) and result.returncode == 2


@pytest.mark.parametrize("arguments", [["--help"], ["--nonsense", "x"]])
def test_help_and_a_wrong_flag_import_no_library(arguments: list[str]) -> None:
    code = "import sys, report\ntry: report.main()\nexcept SystemExit: pass\n"
    code += "print(sorted({'numpy', 'matplotlib', 'tensorflow'} & set(sys.modules)))"
    result = run_command(*arguments, program=["-c", code])
    assert result.stdout.endswith("[]\n")
    assert ("--output DIR" in result.stdout) == (arguments == ["--help"])


def test_a_report_needs_no_tensorflow(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", rising(2, 4))
    code = "import sys, report\nsys.modules['tensorflow'] = None\nprint(report.main())"
    result = run_command(run, "--output", tmp_path / "out", program=["-c", code])
    assert result.stdout.endswith("0\n"), result.stderr


def files_of(folder: Path) -> dict[str, bytes]:
    """Returns the contents of the files in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_report_that_fails_leaves_the_files_of_the_earlier_one_whole(tmp_path: Path) -> None:
    run, output = write_run(tmp_path / "run", rising(2, 4)), tmp_path / "out"
    assert run_here(run, "--output", output, main=report.main).returncode == 0
    before = files_of(output)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))  # the bytes of a file, as on a full disk
    try:
        result = run_here(run, "--output", output, main=report.main)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (
        f"{output / 'accuracy-after-each-turn.png'} cannot be written (File too large)"
        in one_line(result)
    )
    assert result.returncode == 2 and files_of(output) == before


def test_the_figures_are_written_before_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr(writing, "write_whole", lambda path, contents: written.append(path.name))
    run = write_run(tmp_path / "run")
    assert run_here(run, "--output", tmp_path / "out", main=report.main).returncode == 0
    assert written == [
        *(f"accuracy-of-dog-id.{form}" for form in ("png", "svg", "pdf")),
        *("results.csv", "summary.csv", "table.tex", "report.md", "report.html"),
    ]


@pytest.mark.parametrize("name", ["accuracy-of-dog-id.svg", "report.html"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("theirs")])
def test_what_is_no_regular_file_is_refused_before_anything_is_drawn(
    tmp_path: Path, name: str, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.plan.render_figures", None)  # which would be called
    run, output = write_run(tmp_path / "run"), tmp_path / "out"
    output.mkdir()
    make(output / name)
    result = run_here(run, "--output", output, main=report.main)
    assert f"{output / name} cannot be written (it is no regular file)" in one_line(result)
    assert result.returncode == 2 and [path.name for path in output.iterdir()] == [name]


@pytest.mark.parametrize("configuration", [b"\xff\xfe", b"backend: none\nfont.size: huge\naxes"])
def test_no_configuration_of_matplotlib_has_a_part_in_a_report(
    tmp_path: Path, configuration: bytes
) -> None:
    run = write_run(tmp_path / "run", rising(2, 4))
    (tmp_path / "matplotlibrc").write_bytes(configuration)
    nowhere = os.path.join(os.devnull, "none")
    result = subprocess.run(
        [sys.executable, ROOT / "report.py", "run"],
        cwd=tmp_path,
        env={
            **os.environ,
            **{"MPLBACKEND": "module://matplotlib_inline.backend_inline", "HOME": nowhere},
            "MPLCONFIGDIR": nowhere,
        },
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert run_here(run, "--output", tmp_path / "here", main=report.main).returncode == 0
    figures = [files_of(tmp_path / name) for name in ("report", "here")]
    assert figures[0]["accuracy-of-dog-id.svg"] == figures[1]["accuracy-of-dog-id.svg"]


def test_flags_choose_what_is_shown(tmp_path: Path) -> None:
    accuracies = [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8], [0.7, 0.5]]
    made = {"accuracies": accuracies, "task_time": 100}
    for seed in range(2):
        write_run(tmp_path / "log" / str(seed), seed=seed, **made)
    write_run(tmp_path / "log" / "other", tasks=["ref", "inv"])
    flags = ("--metric", "relearning_steps", "savings", "--tasks", "id", "--title", "<b>Mine</b>")
    result = run_here(
        *(tmp_path / "log", "--output", tmp_path / "out", *flags, "--band", "sem"),
        main=report.main,
    )
    assert result.returncode == 0, result.stderr
    assert "| relearning steps |" in result.stdout and "final average" not in result.stdout
    assert "final id, %" in result.stdout and "final dog" not in result.stdout
    text = (tmp_path / "out" / "report.md").read_text()
    assert "log/other" not in text and not re.search(r"\| dog +\|", text)
    assert text.startswith("# &#60;b&#62;Mine&#60;/b&#62;\n")
    assert (
        "<title>&lt;b&gt;Mine&lt;/b&gt;</title>" in (tmp_path / "out" / "report.html").read_text()
    )
    (svg,) = (tmp_path / "out").glob("accuracy-of-*.svg")
    assert "± one standard error of the mean" in svg.read_text()
    assert b"savings" in (tmp_path / "out" / "summary.csv").read_bytes()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--metric", "accuracy"), "there is no metric 'accuracy'; there are average_accuracy, "),
        (("--tasks", "id", "i\nd"), r"no run has the task 'i\nd'; the runs have dog, id"),
        (("--band", "se"), "--band: invalid choice: 'se'"),
        (("--title",), "--title: expected one argument"),
        (("--metrics", "forgetting"), "unrecognized arguments: --metrics"),
    ],
)
def test_unknown_choices_are_refused_in_one_line(
    tmp_path: Path, flags: tuple[str, ...], expected: str
) -> None:
    run = write_run(tmp_path / "run")
    result = run_here(run, "--output", tmp_path / "out", *flags, main=report.main)
    assert expected in one_line(result) and result.returncode == 2
    assert not (tmp_path / "out").exists()


@pytest.fixture
def nothing_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws no figure, which takes the most time."""
    monkeypatch.setattr("reports.plan.render_figures", lambda plan: [b""] * 3 * len(plan))


def test_a_report_of_one_run_ends_with_its_figure_and_its_biggest_fall(
    tmp_path: Path, nothing_drawn: None
) -> None:
    run = write_run(tmp_path / "run", [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]], task_time=100)
    result = run_here(run, "--output", tmp_path / "out", main=report.main)
    figure, _, sentence = result.stdout.splitlines()[-3:]
    assert figure == f"  {tmp_path / 'out' / 'accuracy-of-dog-id.png'}, .svg, .pdf"
    assert sentence == "dog fell from 90 % to 40 % while id was learned"
    assert f"\n- {sentence}\n" in (tmp_path / "out" / "report.md").read_text()


def test_many_groups_are_bounded(tmp_path: Path, nothing_drawn: None) -> None:
    for n in range(14):
        write_run(tmp_path / "log" / f"{n:02}", rising(2, 4), task_time=100, batch=n + 1)
    result = run_here(tmp_path / "log", "--output", tmp_path / "out", main=report.main)
    assert "only the first 12 of 14 groups have a figure" in result.stdout
    names = {path.stem for path in (tmp_path / "out").glob("*.png")}
    assert names == {
        *("results-against-batch", "accuracy-after-each-turn"),
        *(f"accuracy-of-batch-{n + 1}" for n in range(12)),
    }


def test_runs_without_a_matrix_are_reported_on_what_they_have(
    tmp_path: Path, nothing_drawn: None
) -> None:
    accuracies = [[0.1, 0.1], [0.9, 0.2], [0.4, 0.8]]
    changes = {"old": {"task_time": 50}, "random": {"schedule": "random"}}
    for name, change in (changes | {"joint": {"schedule": "joint"}}).items():
        write_run(tmp_path / "log" / name, accuracies, **change)
    flags = ("--metric", "average_accuracy", "forgetting", "savings")
    result = run_here(tmp_path / "log", "--output", tmp_path / "out", *flags, main=report.main)
    assert result.returncode == 0, result.stderr
    text = (tmp_path / "out" / "report.md").read_text()
    assert "forgetting, %" not in text and "savings" not in text  # they apply to none
    assert len(re.findall(r"\| +60\.00 \| +85\.00 \| +25\.00 \|", text)) == 3
    # Beside a run with turns they have dashes.
    write_run(tmp_path / "log" / "turns", accuracies, task_time=100)
    result = run_here(tmp_path / "log", "--output", tmp_path / "out", *flags, main=report.main)
    assert len(re.findall(r" 60\.00 \| +– \|", result.stdout)) == 3
