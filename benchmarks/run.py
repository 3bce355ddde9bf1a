"""What the time and the memory of a whole run go to: python -m benchmarks.run

The real command, on a terminal, on three tasks with a test of each every 100 steps, each time in a
new process, with a stopwatch round the program's own functions. Its time is that from before the
process was started to its end, in two:

- start-up, to the moment at which the first training step is computed. The first call of a loop
  compiles it: what that call takes beyond its steps at the pace of all others is called compiling,
  and that of the first loop is start-up. So is the test before training, with its compiling.
- after start-up, in which `other` is all but training and testing. Training has the compiling of
  the further tasks' loops in it.

Redrawing the display and writing the log are other threads'. Their processor time is told beside,
and is no part of `other`, but of what is told as `with` them.

Flags that are not its own are task.py's, such as --data-dir, --fake-data and --precision; they
override those of the run that is measured.
"""

import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks import measuring
from benchmarks.measuring import spread, told
from benchmarks.timed_run import ROOT, TimedRun, timed_run
from benchmarks.timed_task import Moment
from command import exit_code_of, prepare_outputs
from errors import RequestError
from settings import parse_flags

RUN = (
    *("--tasks", "id", "ref", "inv", "--task-time", "200", "--max-steps", "1000"),
    *("--test-frequency", "100"),
)
MEGABYTE = 1_000_000
# What is told of a run: its name in the JSON file, and in the table.
ROWS = {
    "start_up": "start-up, to the first training step, s",
    "start_up_program": "  interpreter, modules, flags",
    "start_up_tensorflow": "  loading TensorFlow and what needs it",
    "start_up_data": "  data",
    "start_up_network": "  network, and data to the device",
    "start_up_logging": "  the run's folder, graph and settings",
    "start_up_display": "  display",
    "start_up_testing": "  test before training, with its compiling",
    "start_up_compiling": "  compiling the training step",
    "after": "after start-up, s",
    "training": "  training",
    "compiling": "    of it compiling for further tasks",
    "testing": "  testing",
    "logging": "  logging",
    "display": "  display",
    "saving": "  saving",
    "program": "  all else in the program",
    "end": "  end of the process",
    "other_percent": "all but training and testing, % of the time after start-up",
    "redrawing": "redrawing the display meanwhile, s of another thread's processor time",
    "writing": "writing the log meanwhile, s of another thread's processor time",
    "with_threads_percent": "all but training and testing, with both of these, %",
    "whole": "the whole run, s",
    "peak_memory": "peak memory, MB",
    "help": "task.py --help, s",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, and prints what came out."""
    numbers = [("--repeats", 3, "runs")]
    parser = measuring.make_parser("run", __doc__, numbers)
    parser.epilog = measuring.OTHER_FLAGS

    def action(interrupts: object) -> int:
        asked, flags = parser.parse_known_args(arguments)
        measuring.check_json(asked)
        flags_of_run = [*RUN, *flags]
        settings = parse_flags(flags_of_run)
        if settings.list_tasks or settings.dry_run:
            raise RequestError("--list-tasks and --dry-run train nothing; leave them out")
        about = measuring.about(parser, arguments, settings.seed)
        runs = [
            {**parts_of(timed_run(flags_of_run)), "help": help_seconds()}
            for _ in measuring.with_progress(range(asked.repeats), "running")
        ]
        parts = {name: spread([run[name] for run in runs]) for name in runs[0]}
        result = {**about, "flags": flags_of_run, "repeats": asked.repeats, "parts": parts}
        print(measuring.heading(result), report(result), sep="\n")
        measuring.write(asked, result)
        return 0

    return exit_code_of(parser.prog, action)


def help_seconds() -> float:
    """Seconds that `task.py --help` takes."""
    start = time.perf_counter()
    command = [sys.executable, str(ROOT / "task.py"), "--help"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def parts_of(run: TimedRun) -> dict[str, float]:
    """What ROWS has of a run, but for `help`; in seconds where it does not say otherwise."""
    moments = run.moments
    place = next(i for i, moment in enumerate(moments) if moment.part == "first training")
    before, later = moments[:place], moments[place + 1 :]
    compiling = compiling_seconds(moments)
    first_step = moments[place].begin + compiling[0]
    after = run.ended - first_step
    training = moments[place].end - first_step + total(later, "training", "first training")
    testing = total(later, "testing")
    start_up = {
        f"start_up_{part}": total(before, part)
        for part in ("program", "tensorflow", "data", "network", "logging", "display")
    }
    other = after - training - testing
    aside = [moment for moment in run.aside if moment.begin >= first_step]
    redrawing, writing = total(aside, "display"), total(aside, "logging")
    return {
        "start_up": first_step - run.started,
        **start_up,
        "start_up_testing": total(before, "first testing", "testing"),
        "start_up_compiling": compiling[0],
        "after": after,
        "training": training,
        "compiling": sum(compiling[1:]),
        "testing": testing,
        **{part: total(later, part) for part in ("logging", "display", "saving", "program")},
        "end": run.ended - moments[-1].end,
        "other_percent": 100 * other / after,
        "redrawing": redrawing,
        "writing": writing,
        "with_threads_percent": 100 * (other + redrawing + writing) / after,
        "whole": run.ended - run.started,
        "peak_memory": run.peak_memory / MEGABYTE,
    }


def compiling_seconds(moments: Iterable[Moment]) -> list[float]:
    """What each loop's first call took beyond its steps at the pace of the other calls."""
    trained = [moment for moment in moments if moment.steps]
    firsts = [moment for moment in trained if moment.part == "first training"]
    others = [moment for moment in trained if moment.part == "training"] or firsts
    pace = median(moment.seconds / moment.steps for moment in others)
    return [max(0.0, moment.seconds - moment.steps * pace) for moment in firsts]


def total(moments: Iterable[Moment], *parts: str) -> float:
    """The seconds of those parts."""
    return sum(moment.seconds for moment in moments if moment.part in parts)


def report(result: dict) -> str:
    """What came out, as text."""
    rows = [[label, told(result["parts"][name]["values"])] for name, label in ROWS.items()]
    return "\n".join(
        [
            f"task.py {' '.join(result['flags'])}",
            "",
            measuring.table([[f"runs: {result['repeats']}", "median (least to most)"], *rows]),
        ]
    )


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
