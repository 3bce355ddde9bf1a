"""Training and evaluation beside Keras and the machine's limit: python -m benchmarks.throughput

All is measured in one process and in turn, with ratios formed within each turn: the program's
compiled training and evaluation; Keras's `fit` and `evaluate` on the same layers and images, always
in float32; and the machine's rates. Of `fit`, the steps after the first are measured, which leaves
out the fixed cost of a call.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from benchmarks.measuring import Table, Values, make_parser, ratios, run_benchmark, with_progress
from command import prepare_outputs
from errors import RequestError
from runs.request import resolve
from settings import Settings, flag
from settings.parser import parse_flags
from settings.values import whole_number
from tasks.resolve import choose_tasks
from training.device import choose_device

# The settings that Keras's network has too, or that do not change the network.
SUPPORTED = (
    *("batch", "data_dir", "dropout", "fake_data", "filters", "gpu", "image_size"),
    *("input_style", "precision", "seed", "threads", "xla"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and returns the exit code."""
    parser = make_parser("throughput", "Measures --network conv fc on MNIST, beside Keras.", 7)
    steps = whole_number("N").parse
    parser.add_argument("--steps", type=steps, default=100, help="steps a turn (default: 100)")
    return run_benchmark(parser, arguments, measure)


def measure(flags: Sequence[str], repeats: int, steps: int) -> tuple[str, dict[str, Table]]:
    """Measures the program, Keras and the machine; see `run_benchmark`."""
    settings = read_flags(flags)
    device = choose_device(settings.device, progress_bars=False)
    from runs.failures import as_run_error

    with as_run_error(lambda: "measuring"):
        tables = compare(settings, steps, repeats)
    return f"{device}, batch {settings.training.batch}, {steps} steps a turn", tables


def read_flags(flags: Sequence[str]) -> Settings:
    """Reads task.py's flags, and refuses those that Keras's network cannot follow."""
    given = parse_flags(flags)
    for name in given:
        if name not in SUPPORTED:
            usable = ", ".join(map(flag, SUPPORTED))
            raise RequestError(f"{flag(name)}: Keras's network is fixed; use only {usable}")
    return resolve(Settings().replace(tasks=("id",), **given))


def compare(settings: Settings, steps: int, repeats: int) -> dict[str, Table]:
    """Returns the speeds, and the machine's rates."""
    from benchmarks.limit import limit_seconds, machine_calls
    from benchmarks.reference import Reference
    from data.loading import load_datasets
    from training.problem import Problem

    tasks = choose_tasks(settings.tasks, settings.data, quiet=True)
    datasets = load_datasets(["mnist"], settings.data, settings.input.image_size, quiet=True)
    problem = Problem(settings, tasks, datasets)
    batch, images = settings.training.batch, len(datasets["mnist"].test.labels)
    reference = Reference(settings, datasets["mnist"], (steps + 1) * batch)
    machine = machine_calls(settings.network.precision)
    calls = {
        "train": partial(problem.loop_for((0,)).train, 0, steps, 0),
        "evaluate": problem.evaluations[0].evaluate,
        "fit a step": partial(reference.fit, 1),
        "fit": partial(reference.fit, steps + 1),
        "Keras evaluate": reference.evaluate,
    }
    seconds = measure_in_turn(calls | {name: call for name, (_, call) in machine.items()}, repeats)
    fit = [many - one for many, one in zip(seconds["fit"], seconds["fit a step"], strict=True)]
    rates = {name: [amount / s for s in seconds[name]] for name, (amount, _) in machine.items()}
    training = limit_seconds(settings, steps * batch, True, *rates.values())
    evaluation = limit_seconds(settings, images, False, *rates.values())
    speeds = {
        "training, steps/s": make_row(steps, seconds["train"], fit, training),
        "evaluation, images/s": make_row(
            images, seconds["evaluate"], seconds["Keras evaluate"], evaluation
        ),
    }
    return {"speed": speeds, "machine": {name: {"rate": rates[name]} for name in rates}}


def measure_in_turn(
    calls: Mapping[str, Callable[[], object]], repeats: int
) -> dict[str, list[float]]:
    """Returns the seconds of `repeats` calls of each, in turn, so that a busy machine slows all."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    turns = range(repeats + 1)  # the first, in which TensorFlow compiles, does not count
    for turn, name in with_progress([(turn, name) for turn in turns for name in calls]):
        start = time.perf_counter()
        calls[name]()
        if turn:
            seconds[name].append(time.perf_counter() - start)
    return seconds


def make_row(amount: int, *seconds: Values) -> dict[str, Values]:
    """Compares the seconds that the program, Keras and the limit take for an amount of work."""
    program, keras, limit = ([amount / s for s in values] for values in seconds)
    return {
        **{"program": program, "Keras": keras, "times Keras": ratios(program, keras)},
        **{"limit": limit, "of the limit": ratios(program, limit)},
    }


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
