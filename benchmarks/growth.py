"""How time and memory grow with a run's size, one axis at a time: python -m benchmarks.growth

The axes are the steps already done, the number of tasks on one MNIST, the images of the test set,
the size of the images, and the batch. Every point is a run of the real command in a new process, on
made-up images, since neither depends on what is in them. On the first two axes its network is the
smallest, `--network fc`, beside which nothing else can hide; on the others it is the usual one.

Times are of training steps and of a task's tests, without the calls that compile them: the median,
and from where to where they go. Memory is the most that the process had; on the first axis, what it
has after those steps, and beside the step's time that of the whole loop with its tests and its log.

Flags that are not its own are task.py's, such as --threads and --seed.
"""

import argparse
import struct
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from benchmarks import measuring
from benchmarks.measuring import spread, told
from benchmarks.timed_run import TimedRun, timed_run
from command import Parser, exit_code_of, prepare_outputs
from data import mnist
from data.idx import IDX_UNSIGNED_BYTES
from settings import parse_flags
from settings.values import whole_number

TASKS = ("id", "ref", "inv", "noise", "perm", "zero", "one")
# How many images MNIST has to train and to test on, and how many do where they do not matter.
WHOLE, FEW = (60_000, 10_000), (5_000, 1_000)
SMALLEST = ("--network", "fc")
# Enough for a few stretches of steps and two tests after the calls that compile.
SHORT = ("--max-steps", "40", "--test-frequency", "20")
MEGABYTE = 1_000_000

# The axes beside the steps: the flag that names their points, these, and what they are.
AXES = {
    "task-counts": ((1, 2, 3, 4, 5, 6, 7), "tasks on one MNIST"),
    "test-images": ((2_500, 10_000, 40_000), "images in the test set"),
    "image-sizes": ((14, 28, 56), "height and width of the images, pixels"),
    "batches": ((25, 100, 400), "examples in a step"),
}


@dataclass(frozen=True)
class Point:
    """A run: its flags, and how many images there are to train and to test on."""

    flags: Sequence[str]
    train: int
    test: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, and prints what came out."""
    parser = make_parser()

    def action(interrupts: object) -> int:
        asked, flags = parser.parse_known_args(arguments)
        measuring.check_json(asked)
        about = measuring.about(parser, arguments, parse_flags([*flags, "--tasks", "id"]).seed)
        result = {**about, **measure(asked, flags)}
        print(measuring.heading(result), report(result), sep="\n\n")
        measuring.write(asked, result)
        return 0

    return exit_code_of(parser.prog, action)


def make_parser() -> Parser:
    """The flags."""
    parser = measuring.make_parser(
        "growth",
        __doc__,
        [
            ("--steps", 10_000, "steps of the long run"),
            ("--parts", 10, "parts of it that are compared"),
        ],
    )
    parser.epilog = measuring.OTHER_FLAGS
    for axis, (points, what) in AXES.items():
        parser.add_argument(
            f"--{axis}",
            nargs="*",
            type=whole_number,
            choices=range(1, len(TASKS) + 1) if axis == "task-counts" else None,
            default=points,
            metavar="N",
            help=f"{what}; none leaves this out (default: {' '.join(map(str, points))})",
        )
    return parser


def measure(asked: argparse.Namespace, flags: Sequence[str]) -> dict:
    """What came out of each axis, as the JSON file has it."""
    axes = {axis: getattr(asked, axis.replace("-", "_")) for axis in AXES}
    points = [("steps", asked.steps)] + [(axis, n) for axis in axes for n in axes[axis]]
    result: dict[str, list[dict]] = {axis: [] for axis in ("steps", *axes)}
    for axis, value in measuring.with_progress(points, "running"):
        run = timed_run_at(point(axis, value, asked.parts), flags)
        if axis == "steps":
            result[axis] = parts_of(run, value, asked.parts)
        else:
            result[axis].append({"at": value, **times(run), "memory": run.peak_memory / MEGABYTE})
    return result


def point(axis: str, value: int, parts: int) -> Point:
    """The run at that place on an axis."""
    one = ("--tasks", "id")
    if axis == "steps":
        frequency = str(max(1, value // parts))
        length = ("--max-steps", str(value), "--test-frequency", frequency)
        return Point([*one, *SMALLEST, *length], *WHOLE)
    if axis == "task-counts":
        length = ("--task-time", "20", "--max-steps", "140", "--test-frequency", "70")
        return Point(["--tasks", *TASKS[:value], *SMALLEST, *length], *WHOLE)
    if axis == "test-images":
        return Point([*one, *SHORT], FEW[0], value)
    flag = {"image-sizes": "--image-size", "batches": "--batch"}[axis]
    return Point([*one, *SHORT, flag, str(value)], *FEW)


def timed_run_at(point: Point, flags: Sequence[str]) -> TimedRun:
    """Runs task.py there, with further flags, on made-up images."""
    with tempfile.TemporaryDirectory(prefix="multiple-tasks-") as folder:
        write_made_up(Path(folder), point)
        return timed_run([*flags, *point.flags, "--data-dir", folder])


def write_made_up(folder: Path, point: Point) -> None:
    """Writes MNIST's four files, of images and labels drawn at random."""
    draw = np.random.default_rng(0)
    for images, labels, count in (
        (mnist.TRAIN_IMAGES, mnist.TRAIN_LABELS, point.train),
        (mnist.TEST_IMAGES, mnist.TEST_LABELS, point.test),
    ):
        size = mnist.FILE_SIZE
        pixels = draw.integers(0, 256, (count, size, size), np.uint8)
        header = struct.pack(">4I", IDX_UNSIGNED_BYTES + 3, count, size, size)
        (folder / images).write_bytes(header + pixels.tobytes())
        header = struct.pack(">2I", IDX_UNSIGNED_BYTES + 1, count)
        (folder / labels).write_bytes(header + draw.integers(0, 10, count, np.uint8).tobytes())


def times(run: TimedRun) -> dict[str, dict]:
    """Milliseconds a step, and a test of a task, of all calls but those that compile."""
    steps = [1000 * m.seconds / m.steps for m in run.moments if m.part == "training"]
    tests = [1000 * m.seconds for m in run.moments if m.part == "testing"]
    return {"step": spread(steps), "test": spread(tests)}


def parts_of(run: TimedRun, steps: int, parts: int) -> list[dict]:
    """Milliseconds a step in consecutive parts of a run, and its memory at the end of each."""
    trained = [moment for moment in run.moments if moment.steps]
    ends = list(accumulate(moment.steps for moment in trained))
    rows, done, begin = [], 0, trained[0].begin
    for part in range(parts):
        moments = [
            m for end, m in zip(ends, trained, strict=True) if (end - 1) * parts // steps == part
        ]
        if not moments:
            continue  # a stretch of steps is longer than this part
        # The first of all compiles; a part that has no other is told with it.
        usual = [moment for moment in moments if moment.part == "training"] or moments
        count, end = sum(moment.steps for moment in moments), moments[-1].end
        done += count
        rows.append(
            {
                "at": done,
                "step": spread([1000 * moment.seconds / moment.steps for moment in usual]),
                "loop": 1000 * (end - begin) / count,
                "memory": moments[-1].memory / MEGABYTE,
            }
        )
        begin = end
    return rows


def report(result: dict) -> str:
    """What came out, as text: a table for each axis."""
    header = ["steps done", "ms a step", "ms a step of the whole loop", "memory then, MB"]
    rows = [
        [f"{row['at']:,}", told(row["step"]["values"]), f"{row['loop']:.2f}", megabytes(row)]
        for row in result["steps"]
    ]
    tables = [measuring.table([header, *rows])]
    for axis, (_, what) in AXES.items():
        header = [what, "ms a step", "ms a test of a task", "peak memory, MB"]
        rows = [
            [
                f"{row['at']:,}",
                *(told(row[kind]["values"]) for kind in ("step", "test")),
                megabytes(row),
            ]
            for row in result[axis]
        ]
        tables += [measuring.table([header, *rows])] if rows else []
    return "\n\n".join(tables)


def megabytes(row: dict) -> str:
    """A row's memory."""
    return f"{row['memory']:,.0f}"


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
