"""Whole runs of task.py as a user sees them, measured from outside: python -m benchmarks.runs

Times and peak memory are the system's account of each process. The rest follows from when its lines
`step N/…` appear, one for each evaluation. steps/s, evaluations included, leave out the steps
before the second evaluation, where others follow it: the training compiles in them.

`--against DIR` runs the program of another checkout in turn with this one. `--max-steps` takes
several numbers, to show that neither a step's time nor the memory grows with the steps done.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import Table, make_parser, ratios, run_benchmark, with_progress
from command import prepare_outputs
from errors import RequestError, RunError
from settings.values import STEPS

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ("--tasks", "id", "ref", "inv", "--task-time", "200")
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and returns the exit code."""
    flags = " ".join(DEFAULT)
    parser = make_parser("runs", f"Measures runs of task.py {flags}, or of other --tasks.", 3)
    lengths = {"nargs": "+", "default": [1000], "help": "of the runs (default: 1000)"}
    parser.add_argument("--max-steps", type=STEPS.parse, metavar="STEPS", **lengths)
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout to run too")
    return run_benchmark(parser, arguments, measure)


def measure(
    flags: Sequence[str], repeats: int, max_steps: Sequence[int], against: Path | None
) -> tuple[str, dict[str, Table]]:
    """Runs the programs in turn; see `run_benchmark`."""
    programs = {"here": ROOT}
    if against:
        programs["against"] = against
        if not (against / "task.py").is_file():
            raise RequestError(f"--against: there is no task.py in {against}; name a checkout")
    if not any(flag.startswith(("--tasks", "@")) for flag in flags):
        flags = [*DEFAULT, *flags]
    for folder in programs.values():  # so that all files are compiled and in memory
        run_once(folder, [*flags, "--max-steps", "1"])
    plan = [(n, name) for _ in range(repeats) for n in max_steps for name in programs]
    tables = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for steps, name in with_progress(plan):
        run = run_once(programs[name], [*flags, "--max-steps", str(steps)])
        for quantity, value in run.items():
            tables[f"--max-steps {steps}"][quantity][name].append(value)
    if against:
        for table in tables.values():
            for row in table.values():
                row["ratio"] = ratios(row["here"], row["against"])
    return f"task.py {' '.join(flags)}", tables


def run_once(folder: Path, flags: Sequence[str]) -> dict[str, float]:
    """Runs the program in a folder, and returns the measured quantities.

    Raises:
        RequestError, RunError: it ended with exit code 2, or with another; the message is its own.
    """
    with tempfile.TemporaryDirectory(prefix="multiple-tasks-") as log_dir:
        command = [sys.executable, str(folder / "task.py"), *flags, "--log-dir", log_dir]
        start = time.monotonic()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process:
            try:
                output = [(time.monotonic() - start, line) for line in process.stdout]
                # Unlike getrusage, it accounts for this child alone.
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            except BaseException:
                process.kill()
                raise
        seconds = time.monotonic() - start
    if code := process.returncode:
        last = output[-1][1] if output else "no output"
        message = re.sub(r"^task\.py: (error|failed): ", "", last)
        raise RequestError(message) if code == 2 else RunError(f"exit code {code}: {message}")
    return {
        "wall time, s": seconds,
        "processor time, s": usage.ru_utime + usage.ru_stime,
        "peak memory, MB": usage.ru_maxrss * MAXRSS_BYTES / 1e6,
        **timings(output),
    }


def timings(output: Sequence[tuple[float, str]]) -> dict[str, float]:
    """Returns what follows from the evaluations among the lines, each with its time in seconds."""
    found = [(seconds, re.match(r"step (\d+)/", line)) for seconds, line in output]
    lines = [(seconds, int(match[1])) for seconds, match in found if match]
    if len(lines) < 2:
        raise RequestError("task.py printed no evaluations; leave out --quiet and --dry-run")
    (begin, first), (end, last) = lines[1 if len(lines) > 2 else 0], lines[-1]
    return {
        "to the first evaluation, s": lines[0][0],
        "to the second evaluation, s": lines[1][0],
        "steps/s": (last - first) / (end - begin),
    }


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
