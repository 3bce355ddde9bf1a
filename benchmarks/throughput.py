"""Training and testing beside Keras's and the machine's own speed: python -m benchmarks.throughput

In one process and in turn, so that a busy machine slows all alike: the program's training step and
its test pass; Keras's `fit` and `evaluate` on the same layers and images, arrays of float32 in
memory with the channels of --input-style; and the machine's rates of matrix products and memory.
Ratios are formed in each turn. Of them, as of all else, the median is told and from where to where
they go.

Of `fit` a step beyond the first is measured: the fixed part of a call is taken out. Of `evaluate`
it is a whole call, with batches of two sizes, of which the faster is compared to. What the limit is
stands in benchmarks/limit.py; % of it is the limit's time over the time measured. lrn and no norm
are other layers than Keras was given, and so compared to the limit alone.

Flags that are not its own are task.py's, such as --data-dir, --fake-data, --batch and --threads.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from settings.checks import chosen_tasks

from benchmarks import measuring
from benchmarks.measuring import ratios, spread, told
from command import Parser, exit_code_of, prepare_outputs
from settings import parse_flags
from training.device import choose_device

if TYPE_CHECKING:  # what takes seconds to import is not imported before the flags are checked
    from benchmarks.limit import Work
    from data.dataset import Dataset
    from training.trainer import Trainer

# The program's variants, and the flags of each.
VARIANTS = {
    "float32": (),
    "bfloat16": ("--precision", "bfloat16"),
    "lrn": ("--norm", "lrn", "--learning-rate", "0.01"),
    "no norm": ("--norm", "none"),
}
PRECISIONS = ("float32", "bfloat16")
OTHER_LAYERS = ("lrn", "no norm")
FIT = "Keras fit"
EVALUATE = {f"Keras evaluate, batch {batch}": batch for batch in (100, 500)}

Settings = dict[str, argparse.Namespace]  # of each variant
Calls = dict[str, Callable[[], object]]
Seconds = dict[str, list[float]]  # in each turn


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, and prints what came out."""
    parser = make_parser()

    def action(interrupts: object) -> int:
        asked, flags = parser.parse_known_args(arguments)
        measuring.check_json(asked)
        settings = {
            name: parse_flags([*flags, "--tasks", "id", "--network", "conv", "fc", *own])
            for name, own in VARIANTS.items()
        }
        about = measuring.about(parser, arguments, settings["float32"].seed)
        has_bfloat16 = bool(about["hardware"]["bfloat16"])
        if not (has_bfloat16 if asked.bfloat16 is None else asked.bfloat16):
            del settings["bfloat16"]
        result = {**about, **measure(asked, settings)}
        print(measuring.heading(result), report(result), sep="\n")
        measuring.write(asked, result)
        return 0

    return exit_code_of(parser.prog, action)


def make_parser() -> Parser:
    """The flags."""
    parser = measuring.make_parser(
        "throughput",
        __doc__,
        [
            ("--steps", 100, "training steps in each measurement"),
            ("--test-images", 10_000, "images of the test set to test on, if it has as many"),
            ("--repeats", 7, "measurements of each, in turn"),
        ],
    )
    parser.epilog = measuring.OTHER_FLAGS
    parser.add_argument(
        "--bfloat16",
        action=argparse.BooleanOptionalAction,
        help="measure --precision bfloat16 too (default: if the processor has instructions for it)",
    )
    return parser


def measure(asked: argparse.Namespace, settings: Settings) -> dict:
    """What came out, as the JSON file has it."""
    usual = settings["float32"]
    choose_device(usual.gpu, usual.threads)
    from benchmarks.limit import machine, testing_work, training_work

    dataset = load(usual, asked.test_images)
    tested = len(dataset.test.labels)
    probes = machine()
    calls = {
        **program_calls(settings, dataset, asked.steps),
        **keras_calls(usual, dataset, asked.steps),
        **{name: call for name, (_, call) in probes.items()},
    }
    seconds = measuring.in_turn(calls, asked.repeats)
    rates = {name: [amount / s for s in seconds[name]] for name, (amount, _) in probes.items()}
    training = training_seconds(seconds, list(settings), asked.steps)
    testing = {name: seconds[f"test {name}"] for name in settings}
    testing |= {name: seconds[name] for name in EVALUATE}
    faster = min(EVALUATE, key=lambda name: median(seconds[name]))
    return {
        "data": dataset.origin,
        "batch": usual.batch,
        "test_images": tested,
        "steps": asked.steps,
        "repeats": asked.repeats,
        "rates": {name: spread(values) for name, values in rates.items()},
        "training": compare(training, FIT, training_work(usual), rates),
        "testing": compare(testing, faster, testing_work(usual, tested), rates),
    }


def load(settings: argparse.Namespace, test_images: int) -> "Dataset":
    """MNIST, and of its test set no more than so many images."""
    from data.loading import load_datasets

    dataset = load_datasets({"mnist": None}, settings)["mnist"]
    test = dataset.test
    cut = replace(test, images=test.images[:test_images], labels=test.labels[:test_images])
    return replace(dataset, test=cut)


def program_calls(settings: Settings, dataset: "Dataset", steps: int) -> Calls:
    """The program's own steps and tests: `train` and `test`, each with a variant's name."""
    from training.trainer import Trainer

    calls: Calls = {}
    for name, variant in settings.items():
        trainer = Trainer(variant, chosen_tasks(variant), {"mnist": dataset})
        calls[f"train {name}"] = partial(train, trainer, steps)
        calls[f"test {name}"] = trainer.evaluations[0].test
    return calls


def train(trainer: "Trainer", steps: int) -> None:
    """Trains that many further steps."""
    start, trainer.step = trainer.step, trainer.step + steps
    trainer.loop_for((0,)).train(start, trainer.step, start * trainer.settings.batch)


def keras_calls(settings: argparse.Namespace, dataset: "Dataset", steps: int) -> Calls:
    """Keras's `fit` of one step and of `steps` beyond it, and `evaluate` with each batch."""
    from benchmarks.reference import Reference

    reference = Reference(settings, dataset, (steps + 1) * settings.batch)
    return {
        "fit a step": partial(reference.fit, 1),
        "fit": partial(reference.fit, steps + 1),
        **{name: partial(reference.evaluate, batch) for name, batch in EVALUATE.items()},
    }


def training_seconds(seconds: Seconds, variants: list[str], steps: int) -> Seconds:
    """Seconds a step, of the program's variants and of Keras."""
    training = {name: [s / steps for s in seconds[f"train {name}"]] for name in variants}
    pairs = zip(seconds["fit"], seconds["fit a step"], strict=True)
    return {**training, FIT: [(many - one) / steps for many, one in pairs]}


def compare(measured: Seconds, reference: str, work: "Work", rates: Seconds) -> dict:
    """Each time beside that of `reference`, one of those measured, and beside the limit."""
    limits = {precision: work.seconds(rates, precision) for precision in PRECISIONS}
    rows = {}
    for name, seconds in measured.items():
        limit = limits.get(name, limits["float32"])
        rows[name] = {"seconds": spread(seconds), "of_limit": spread(ratios(limit, seconds))}
        if name not in OTHER_LAYERS:
            rows[name]["times_keras"] = spread(ratios(measured[reference], seconds))
    return {
        "reference": reference,
        "operations": work.operations,
        "values": work.values,
        "limits": {name: spread(seconds) for name, seconds in limits.items()},
        "rows": rows,
    }


def report(result: dict) -> str:
    """What came out, as text."""
    products = [
        [
            "matrix product, " + name,
            f"{told([rate / 1e9 for rate in result['rates'][name]['values']], 0)} GFLOP/s",
        ]
        for name in PRECISIONS
    ]
    memory = [
        "memory",
        f"{told([rate / 1e9 for rate in result['rates']['memory']['values']], 1)} GB/s",
    ]
    return "\n".join(
        [
            f"{result['data']}; batch {result['batch']}, {result['test_images']:,} test images; "
            f"{result['repeats']} times in turn, {result['steps']} steps each",
            "median (least to most)",
            "",
            comparison("training", "steps/s", result["training"], lambda s: 1 / s),
            "",
            comparison("testing", "seconds", result["testing"], lambda s: s),
            "",
            measuring.table([["machine", ""], *products, memory]),
        ]
    )


def comparison(title: str, unit: str, compared: dict, quantity: Callable[[float], float]) -> str:
    """The table of what `compare` made."""
    header = [title, unit, f"× {compared['reference']}", "% of the limit"]
    rows = [
        [
            name,
            told([quantity(s) for s in row["seconds"]["values"]]),
            told(row["times_keras"]["values"]) if "times_keras" in row else "",
            told([100 * share for share in row["of_limit"]["values"]], 0),
        ]
        for name, row in compared["rows"].items()
    ]
    limits = [
        [f"the limit, {name}", told([quantity(s) for s in limit["values"]]), "", ""]
        for name, limit in compared["limits"].items()
    ]
    return measuring.table([header, *rows, *limits])


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
