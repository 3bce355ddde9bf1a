"""How much longer a step on ten tasks together takes than a step on one: python -m benchmarks.joint

The tasks are CIFAR-10's ten classes, on the encoder with a head for each, and so on the same
images: a step that passed the encoder once for each of them would take ten times as long. The
images are made up, since a step's time does not depend on what is in them.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence

from command import Parser, accept_any_encoding
from device import choose_device
from flags import parse_flags
from flags.checks import chosen_tasks
from flags.values import whole_number

SEED = 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, and prints what came out."""
    asked = make_parser().parse_args(arguments)
    choose_device(gpu=False)
    import tensorflow as tf

    settings = parse_flags(
        [
            *("--tasks", "cifar10:*", "--schedule", "joint", "--heads", "multi"),
            *("--network", "encoder", "--image-size", "32", "--seed", str(SEED)),
            *("--batch", str(asked.batch)),
        ]
    )
    one, ten = make_loops(settings)
    times = measure({"one task": one, "ten tasks": ten}, asked.steps, asked.repeats)
    ratios = [b / a for a, b in zip(times["one task"], times["ten tasks"], strict=True)]
    print(
        f"python {platform.python_version()}, tensorflow {tf.__version__}, {os.cpu_count()} cores"
    )
    print(f"{platform.machine()}, batch {asked.batch}, seed {SEED}; {asked.repeats} times in turn,")
    print(f"{asked.steps} steps each; median (least to most)")
    for name, seconds in times.items():
        print(f"{name:10} {spread([1000 * second for second in seconds])} ms a step")
    print(f"{'ratio':10} {spread(ratios)}")
    return 0


def make_parser() -> Parser:
    """The flags."""
    parser = Parser(prog="benchmarks.joint", description=__doc__.partition("\n")[0])
    for flag, default, what in (
        ("--batch", 128, "examples in a step"),
        ("--steps", 10, "steps in each measurement"),
        ("--repeats", 7, "measurements of each, in turn"),
    ):
        parser.add_argument(
            flag, type=whole_number, default=default, help=f"{what} (default: %(default)s)"
        )
    return parser


def make_loops(settings: argparse.Namespace) -> list:
    """The loop of the first task alone, and that of all, on one network with all heads."""
    import numpy as np

    from data.class_names import CIFAR10
    from data.dataset import Dataset, Split
    from train import Trainer

    draw = np.random.default_rng(SEED)
    labels = np.arange(2_000, dtype=np.int32) % 10
    images = draw.integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
    split = Split(images, labels)
    datasets = {"cifar10": Dataset(split, split, CIFAR10, "made up")}
    trainer = Trainer(settings, chosen_tasks(settings), datasets)
    return [trainer.loop_for((0,)), trainer.loop_for(tuple(range(10)))]


def measure(loops: dict, steps: int, repeats: int) -> dict[str, list[float]]:
    """Seconds a step of each loop, measured in turn after each was compiled and run once."""
    times: dict[str, list[float]] = {name: [] for name in loops}
    for loop in loops.values():
        loop.train(0, 1, 0)
    for _ in range(repeats):
        for name, loop in loops.items():
            start = time.perf_counter()
            loop.train(0, steps, 0)
            times[name].append((time.perf_counter() - start) / steps)
    return times


def spread(values: list[float]) -> str:
    """The median, and from where to where the values go."""
    return f"{statistics.median(values):7.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    accept_any_encoding()
    sys.exit(main())
