"""The command, as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import report
from tests.support.command import ROOT
from tests.support.run_folders import rising, write_run


def run_report(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Runs `python report.py`."""
    return subprocess.run(
        [sys.executable, "report.py", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_report_of_several_runs(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / str(n), rising(2, 9), seed=n) for n in range(2)]
    runs.append(write_run(tmp_path / "adam|", rising(2, 9), optimizer="adam"))
    unfinished = write_run(tmp_path / "cut", rising(2, 3), task_time=9, max_steps=900)
    empty = write_run(tmp_path / "empty", [])
    output = tmp_path / "out"
    result = run_report(*runs, unfinished, empty, "--output", output, PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"left out: {empty}" in result.stdout
    assert "unfinished: 200 of 900 steps" in result.stdout
    for path in output.iterdir():
        assert f"  {path}\n" in result.stdout
    text = (output / "report.md").read_text(encoding="utf-8")
    assert text.count("![") == len(list(output.glob("*.png"))) == 5
    assert all(f"]({path.name})" in text for path in output.glob("*.png"))
    assert "± " in text and f"left out: {empty}" in text
    assert all(str(run).replace("|", "\\|") in text or str(run) in text for run in runs)


def test_a_wrong_request_is_refused_in_one_line(tmp_path: Path) -> None:
    output = tmp_path / "out"
    for arguments in ([], ["--nonsense", "x"], [tmp_path / "two\nlines"]):
        result = run_report(*arguments, "--output", output)
        assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert result.stderr.startswith("report.py: error: ") and not output.exists()


def test_an_output_that_cannot_be_written_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    run = write_run(tmp_path / "run", [[0.1, 0.1]])
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "report.md").mkdir(parents=True)
    for output, expected in (
        (tmp_path / "file", f"--output: {tmp_path / 'file'} cannot be written"),
        (tmp_path / "file" / "below", f"--output: {tmp_path / 'file' / 'below'} cannot be written"),
        (tmp_path / "out", "report.md cannot be written"),
    ):
        assert report.main([str(run), "--output", str(output)]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and expected in printed.err and printed.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--help"], ["--nonsense", "x"]])
def test_help_and_a_wrong_flag_import_no_library(arguments: list[str]) -> None:
    code = "import sys, report\ntry: report.main(sys.argv[1:])\nexcept SystemExit: pass\n"
    code += "print(sorted({'numpy', 'matplotlib', 'tensorflow'} & set(sys.modules)))"
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.endswith("[]\n")
    assert ("--output DIR" in result.stdout) == (arguments == ["--help"])


def test_a_report_needs_no_tensorflow(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", rising(2, 4))
    code = "import sys, report\nsys.modules['tensorflow'] = None\nprint(report.main(sys.argv[1:]))"
    arguments = [sys.executable, "-c", code, str(run), "--output", str(tmp_path / "out")]
    result = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.endswith("0\n"), result.stderr
