"""Evaluates the network that a run saved, on the run's tasks or on others that it can answer."""

import os
import sys

if __name__ == "__main__":  # before the imports below, which take a while
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # PYTHONSAFEPATH leaves it out
    from program import run_program

    run_program("evaluate")

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from command import Parser, exit_code_of, one_line, output_errors, printable
from errors import RequestError
from files import check_replaceable, write_json
from runs.config import CONFIG, Config, check_network, read_config
from runs.folder import LOCK, SUMMARY
from runs.history import METRICS
from runs.request import check_data
from settings import Settings
from tasks import Task
from tasks.resolve import choose_tasks
from tasks.task import task_labels

if TYPE_CHECKING:  # imports that take seconds wait until the flags have been checked
    import numpy as np

    from data.dataset import Dataset

REMEDY = "name another file"  # where --output cannot be written
# Confusion matrices of more classes are not printed, but this many of their confusions are.
MAX_COLUMNS = 20
WORST = 10


@dataclass(frozen=True)
class Options:
    """The flags of evaluate.py."""

    run: Path
    tasks: tuple[str, ...] | None
    data_dir: Path | None
    data_dog_dir: Path | None
    output: Path | None
    gpu: bool
    quiet: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code."""
    return exit_code_of("evaluate.py", lambda _: evaluate(read_options(arguments)))


def read_options(arguments: Sequence[str] | None) -> Options:
    """Reads the flags."""
    parser = Parser(
        prog="evaluate.py",
        description="Evaluates the network that a run saved on whole test sets: prints each task's "
        "accuracy and confusion matrix, and writes both as JSON.",
        allow_abbrev=False,
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument(
        "--tasks",
        nargs="+",
        metavar="TASK",
        help="the tasks, also ones that the run was not trained on: made of the classes of one of "
        "its tasks (cifar10:cat after cifar10), or with as many classes as its only head (default: "
        "the run's)",
    )
    for flag, subject in (("--data-dir", "the data"), ("--data-dog-dir", "the photographs")):
        parser.add_argument(
            flag,
            type=Path,
            metavar="DIR",
            help=f"the folder of {subject}, as for task.py (default: the run's)",
        )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the JSON file to write (default: evaluation.json in the run's folder)",
    )
    parser.add_argument("--gpu", action="store_true", help="use the first GPU (default: the CPU)")
    parser.add_argument("--quiet", action="store_true", help="print the accuracies alone")
    return Options(**vars(parser.parse_args(arguments)))


def evaluate(options: Options) -> int:
    """Evaluates the run's network, prints the results, and writes them as JSON."""
    config = read_config(options.run)
    output = options.output or options.run / "evaluation.json"
    with output_errors(output, REMEDY):  # before the seconds or minutes that evaluating takes
        check_replaceable(output)
        if not output.parent.is_dir():
            raise RequestError(f"--output: there is no folder {output.parent}; make it first")
    if is_of_the_run(output, options.run):
        raise RequestError(f"--output: {output} is a file of the run itself; name another file")
    settings = current_settings(options, config)
    results = evaluate_tasks(options, config, settings)
    show(results, settings.data.fake_data, options.quiet)
    contents = {"run": str(options.run), "seed": settings.training.seed, "tasks": results}
    with output_errors(output, REMEDY):
        write_json(output, contents)
    if not options.quiet:
        print(f"everything is in {printable(str(output))}")
    return 0


def is_of_the_run(output: Path, run: Path) -> bool:
    """Tells whether a file is one from which the run is resumed or reported."""
    place = Path(os.path.realpath(output.parent))
    inside = Path(os.path.realpath(run))
    own = place == inside and output.name in (CONFIG, METRICS, SUMMARY, LOCK)
    return own or inside in place.parents


def evaluate_tasks(options: Options, config: Config, settings: Settings) -> list[dict[str, Any]]:
    """Loads the run's network and the data, and returns each task's result."""
    tasks = run_tasks = choose_tasks(settings.tasks, settings.data, options.quiet)
    check_network(config.folder, settings, run_tasks)
    if options.tasks:
        asked = replace(settings.tasks, tasks=options.tasks)
        tasks = choose_tasks(asked, settings.data, options.quiet)

    from training.device import choose_device

    choose_device(replace(settings.device, gpu=options.gpu), progress_bars=False)
    from data.loading import load_datasets
    from runs.failures import as_run_error
    from training.scoring import OutputMap, output_map, restore_network, scales_of, score

    maps = [OutputMap(index) for index in range(len(tasks))]
    if options.tasks:
        heads = len(run_tasks) if settings.network.heads == "multi" else 1
        maps = [output_map(task, run_tasks, heads) for task in tasks]
    with as_run_error(lambda: f"loading {options.run}"):
        network, scales = restore_network(options.run, settings, run_tasks)
    # Older runs did not save the mean and deviation that they standardized by.
    compute_scales = settings.input.standardize and scales is None
    needed = (*tasks, *run_tasks) if compute_scales else tasks
    names = {task.dataset: None for task in needed}
    size = settings.input.image_size
    datasets = load_datasets(names, settings.data, size, options.quiet, from_config=True)
    check_classes(config, datasets)
    with as_run_error(lambda: f"evaluating {options.run}"):
        if compute_scales:
            check_images(config, {task.dataset: datasets[task.dataset] for task in run_tasks})
            scales = scales_of(run_tasks, datasets, settings)
        matrices = score(network, tasks, maps, datasets, settings, scales)
    return [
        describe_result(task, run_tasks[output.head], matrix, datasets[task.dataset])
        for task, output, matrix in zip(tasks, maps, matrices, strict=True)
    ]


def current_settings(options: Options, config: Config) -> Settings:
    """Returns the run's settings, with the data where it is now.

    Raises:
        RequestError: the run is of an older version that saved its network otherwise, or the data
            is missing.
    """
    if "precision" not in config.stored["settings"]:
        raise RequestError(
            f"{options.run} was made by an older version of this program, which saved its network "
            "otherwise; run it again"
        )
    settings = config.settings_from_here()
    settings = settings.replace(
        data_dir=options.data_dir or settings.data.data_dir,
        data_dog_dir=options.data_dog_dir or settings.data.data_dog_dir,
    )
    check_data(settings.data)
    return settings


def check_classes(config: Config, datasets: "Mapping[str, Dataset]") -> None:
    """Refuses data whose classes are not those that the run was trained on."""
    for name, dataset in datasets.items():
        then = (config.fact("data").get(name) or {}).get("classes")
        if then is not None and then != list(dataset.class_names):
            raise RequestError(
                f"{config.folder} was trained on {len(then)} classes ({then[0]} to {then[-1]}), "
                f"and {dataset.origin} has {len(dataset.class_names)} others; name the folder with "
                "the same data in --data-dir or --data-dog-dir"
            )


def check_images(config: Config, datasets: "Mapping[str, Dataset]") -> None:
    """Refuses other images than those by which a run of an older version was standardized."""
    from runs.description import checksum

    for name, dataset in datasets.items():
        if checksum(dataset) != config.fact("data", name).get("sha256"):
            raise RequestError(
                f"{config.folder} is standardized by the images that it was trained on, of which "
                "an older version of this program saved no mean and deviation, and "
                f"{dataset.origin} holds others; name the folder with the same data in --data-dir"
            )


def describe_result(
    task: Task, read_from: Task, confusion: "np.ndarray", dataset: "Dataset"
) -> dict[str, Any]:
    """Returns a task's result for JSON.

    `confusion` has a row for each true class and a column for each prediction.
    """
    correct, examples = int(confusion.trace()), int(confusion.sum())
    return {
        "name": task.name,
        "read_from": read_from.name,
        "accuracy": correct / examples,
        "correct": correct,
        "test": examples,
        "classes": task.names_of_classes(dataset.class_names),
        "confusion": confusion.tolist(),
    }


def show(results: list[dict[str, Any]], drawn: bool, quiet: bool) -> None:
    """Prints the accuracies, and the confusions unless quiet."""
    names = task_labels([result["name"] for result in results])
    width = max(map(len, names))
    print("test accuracy, %, on drawn data" if drawn else "test accuracy, %")
    for name, result in zip(names, results, strict=True):
        source = result["read_from"]
        other = f", read off the outputs for {one_line(source)}" * (source != result["name"])
        counts = f"{result['correct']:,} of {result['test']:,}"
        print(f"{name:{width}}  {100 * result['accuracy']:6.2f}  ({counts}{other})")
    if not quiet:
        for result in results:
            print("", *confusions(result), sep="\n")


def confusions(result: dict[str, Any]) -> list[str]:
    """Returns the confusion matrix in lines; of many classes, the most frequent confusions."""
    name, counts = one_line(result["name"]), result["confusion"]
    classes = [one_line(each) for each in result["classes"]]
    if len(classes) > MAX_COLUMNS:
        wrong = [
            (count, true, predicted)
            for true, row in zip(classes, counts, strict=True)
            for predicted, count in zip(classes, row, strict=True)
            if count and true != predicted
        ]
        worst = sorted(wrong, key=itemgetter(0), reverse=True)[:WORST]
        return [
            f"{name}: the most frequent confusions of {len(classes)} classes",
            *(f"{count:>5}  {true} taken for {predicted}" for count, true, predicted in worst),
        ]
    cell = max(3, len(str(max(map(max, counts)))))
    labels = ["", *(f"{index} {each}" for index, each in enumerate(classes))]
    width = max(map(len, labels))
    return [
        f"{name}: confusion matrix (rows are true classes, columns predicted ones)",
        *(
            f"{label:{width}}  " + " ".join(f"{count:>{cell}}" for count in row)
            for label, row in zip(labels, [range(len(classes)), *counts], strict=True)
        ),
    ]
