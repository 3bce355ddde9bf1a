"""How much longer a step on ten tasks together takes than a step on one: python -m benchmarks.joint

The tasks are CIFAR-10's ten classes, on the encoder with a head for each, and so on the same
images: a step that passed the encoder once for each of them would take ten times as long. The
images are made up, since a step's time does not depend on what is in them.
"""

import argparse
import sys
from collections.abc import Sequence

from settings.checks import chosen_tasks

from benchmarks.measuring import (
    about,
    check_json,
    heading,
    in_turn,
    make_parser,
    ratios,
    spread,
    table,
    told,
    write,
)
from command import exit_code_of, prepare_outputs
from settings import parse_flags
from training.device import choose_device

SEED = 0
ONE, TEN = "one task", "ten tasks"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, and prints what came out."""
    parser = make_parser(
        "joint",
        __doc__,
        [
            ("--batch", 128, "examples in a step"),
            ("--steps", 10, "steps in each measurement"),
            ("--repeats", 7, "measurements of each, in turn"),
        ],
    )

    def action(interrupts: object) -> int:
        return run(parser.parse_args(arguments), about(parser, arguments, SEED))

    return exit_code_of(parser.prog, action)


def run(asked: argparse.Namespace, context: dict) -> int:
    """Measures both loops, and prints what came out."""
    check_json(asked)
    choose_device(gpu=False)
    settings = parse_flags(
        [
            *("--tasks", "cifar10:*", "--schedule", "joint", "--heads", "multi"),
            *("--network", "encoder", "--image-size", "32", "--seed", str(SEED)),
            *("--batch", str(asked.batch)),
        ]
    )
    one, ten = make_loops(settings)
    seconds = in_turn(
        {ONE: lambda: one.train(0, asked.steps, 0), TEN: lambda: ten.train(0, asked.steps, 0)},
        asked.repeats,
    )
    step = {name: [1000 * s / asked.steps for s in values] for name, values in seconds.items()}
    times = ratios(step[TEN], step[ONE])
    print(heading(context))
    print(f"batch {asked.batch}; {asked.repeats} times in turn, {asked.steps} steps each")
    print()
    rows = [[name, f"{told(values)} ms a step"] for name, values in step.items()]
    print(table([["", "median (least to most)"], *rows, ["ratio", told(times)]]))
    milliseconds = {name: spread(values) for name, values in step.items()}
    write(asked, {**context, "milliseconds_a_step": milliseconds, "ratio": spread(times)})
    return 0


def make_loops(settings: argparse.Namespace) -> list:
    """The loop of the first task alone, and that of all, on one network with all heads."""
    import numpy as np

    from data.class_names import CIFAR10
    from data.dataset import Dataset, Split
    from training.trainer import Trainer

    draw = np.random.default_rng(SEED)
    labels = np.arange(2_000, dtype=np.int32) % 10
    images = draw.integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8)
    split = Split(images, labels)
    datasets = {"cifar10": Dataset(split, split, CIFAR10, "made up")}
    trainer = Trainer(settings, chosen_tasks(settings), datasets)
    return [trainer.loop_for((0,)), trainer.loop_for(tuple(range(10)))]


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
