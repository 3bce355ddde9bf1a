"""The command, as a user runs it."""

import os
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
    for path in output.iterdir():
        assert f"  {path}\n" in result.stdout
    text = (output / "report.md").read_text(encoding="utf-8")
    assert text.count("![") == len(list(output.glob("*.png"))) == 5
    assert all(f"]({path.name})" in text for path in output.glob("*.png"))
    assert "± " in text and f"left out: `{empty}`" in text
    assert all(f"`{run}`" in text for run in runs)


def test_a_report_says_what_a_setting_does(tmp_path: Path) -> None:
    for time, final in ((200, 0.5), (9, 0.6)):
        for seed in (0, 1):
            accuracies = [[0.9, 0.9], [final + seed / 10] * 2]
            write_run(tmp_path / "log" / f"{time} {seed}", accuracies, task_time=time, seed=seed)
    output = tmp_path / "out"
    result = run_here(tmp_path / "log", "--output", output, main=report.main)
    *_, answer = result.stdout.splitlines()
    assert answer.startswith(
        "task time 200 in place of 9: final average accuracy 10.0 points lower"
    )
    text = (output / "report.md").read_text()
    assert f"# Report\n\n- {answer}\n\n|" in text and "Student's t" in text
    assert "](against_task_time.png)" in text
    assert files_of(output).keys() >= {"against_task_time.png", "against_task_time.svg"}
    # A sweep knows what it varied.
    text = writing.write_report([tmp_path / "log"], output, ["seed"])
    assert "in place of" not in text and text.endswith(f"  {output / 'report.md'}")


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
    assert f"{output / 'group_1.png'} cannot be written (File too large)" in one_line(result)
    assert result.returncode == 2 and files_of(output) == before


def test_the_figures_are_written_before_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr(writing, "write_whole", lambda path, contents: written.append(path.name))
    run = write_run(tmp_path / "run", rising(2, 4))
    assert run_here(run, "--output", tmp_path / "out", main=report.main).returncode == 0
    assert written == ["group_1.png", "group_1.svg", "report.md"]


@pytest.mark.parametrize("name", ["group_1.png", "group_1.svg", "report.md"])
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("theirs")])
def test_what_is_no_regular_file_is_refused_before_anything_is_drawn(
    tmp_path: Path, name: str, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.figures.render_figures", None)  # which would be called
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
    assert figures[0]["group_1.svg"] == figures[1]["group_1.svg"]
