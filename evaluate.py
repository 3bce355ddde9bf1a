"""Tests the network that a run saved, on the run's tasks or on others that it can answer."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from command import Parser, exit_code_of, prepare_outputs
from errors import RequestError
from runs.config import damage_told, read_config, settings_with_paths
from settings.checks import check_data, chosen_tasks

if TYPE_CHECKING:  # what takes seconds to import is not imported before the flags are checked
    import numpy as np

    from data.dataset import Dataset
    from tasks import Task

# A confusion matrix of more classes than this is not printed.
MOST_COLUMNS = 20
# How many of its confusions are, in its place.
WORST = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code: see the README."""
    return exit_code_of("evaluate.py", lambda _: run(make_parser().parse_args(arguments)))


def make_parser() -> Parser:
    """The flags."""
    parser = Parser(
        prog="evaluate.py",
        description="Tests the network that a run saved on the whole test sets: prints each task's "
        "accuracy and confusion matrix, and writes both as JSON.",
        allow_abbrev=False,
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="the run's folder")
    parser.add_argument(
        "--tasks",
        nargs="+",
        metavar="TASK",
        help="which tasks, also such as the run was not trained on: made of the classes of one of "
        "its tasks (cifar10:cat after cifar10), or with as many classes as its only head (default: "
        "the run's)",
    )
    for flag, what in (("--data-dir", "the data is"), ("--data-dog-dir", "the photographs are")):
        parser.add_argument(
            flag,
            type=Path,
            metavar="DIR",
            help=f"where {what}, as for task.py (default: where it was for the run)",
        )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the JSON file to write (default: evaluation.json in the run's folder)",
    )
    parser.add_argument("--gpu", action="store_true", help="use the first GPU (default: the CPU)")
    parser.add_argument("--quiet", action="store_true", help="print the accuracies alone")
    return parser


def run(asked: argparse.Namespace) -> int:
    """Loads the run's network and the data, tests, prints and writes."""
    config = read_config(asked.run)
    if not output_of(asked).parent.is_dir():
        raise RequestError(f"--output: there is no folder {asked.output.parent}; make it first")
    with damage_told(asked.run):
        settings = settings_of(asked, config)
        run_tasks = chosen_tasks(settings)
    tasks = run_tasks
    if asked.tasks:
        tasks = chosen_tasks(argparse.Namespace(**{**vars(settings), "tasks": asked.tasks}))

    from training.device import choose_device

    choose_device(asked.gpu, settings.threads)
    from data.loading import load_datasets
    from runs.log import told_in_a_line
    from training.scoring import Reading, reading_of, restore_network, score

    readings = [Reading(index) for index in range(len(tasks))]
    if asked.tasks:
        heads = len(run_tasks) if settings.heads == "multi" else 1
        readings = [reading_of(task, run_tasks, heads) for task in tasks]
    with told_in_a_line(lambda: f"loading {asked.run}"):
        network = restore_network(asked.run, settings, run_tasks)
    # Those of the run are needed for what it standardised their images by.
    needed = {task.dataset: None for task in (*tasks, *(run_tasks if settings.standardize else ()))}
    datasets = load_datasets(needed, settings)
    with damage_told(asked.run):
        check_classes(asked.run, config, datasets)
    with told_in_a_line(lambda: f"testing {asked.run}"):
        matrices = score(network, tasks, readings, run_tasks, datasets, settings)
    results = [
        describe_result(task, run_tasks[reading.head], matrix, datasets[task.dataset])
        for task, reading, matrix in zip(tasks, readings, matrices, strict=True)
    ]
    show(results, settings.fake_data, asked.quiet)
    write(asked, results, settings.seed)
    return 0


def output_of(asked: argparse.Namespace) -> Path:
    """The JSON file to write."""
    return asked.output or asked.run / "evaluation.json"


def write(asked: argparse.Namespace, results: list[dict], seed: int) -> None:
    """Writes the results as JSON, and says where."""
    from runs.files import write_json

    output = output_of(asked)
    try:
        write_json(output, {"run": str(asked.run), "seed": seed, "tasks": results})
    except OSError as error:
        raise RequestError(
            f"--output: {output} cannot be written ({error.strerror}); name another file"
        ) from error
    if not asked.quiet:
        print(f"all of it is in {output}")


def settings_of(asked: argparse.Namespace, config: dict) -> argparse.Namespace:
    """The run's settings, with the data where it is now.

    Raises:
        RequestError: they are of an older version, whose networks were saved otherwise, or the
            data is not there.
    """
    if "precision" not in config["settings"]:
        raise RequestError(
            f"{asked.run} was made by an older version of this program, which saved its network "
            "otherwise; run it again"
        )
    settings = argparse.Namespace(**settings_with_paths(config))
    settings.data_dir = asked.data_dir or settings.data_dir
    settings.data_dog_dir = asked.data_dog_dir or settings.data_dog_dir
    settings.quiet = asked.quiet
    check_data(settings)
    return settings


def check_classes(folder: Path, config: dict, datasets: "dict[str, Dataset]") -> None:
    """Refuses data whose classes are not those that the run was trained on."""
    for name, dataset in datasets.items():
        then = config["data"].get(name, {}).get("classes")
        if then is not None and then != list(dataset.class_names):
            raise RequestError(
                f"{folder} was trained on {len(then)} classes ({then[0]} to {then[-1]}), and "
                f"{dataset.origin} has {len(dataset.class_names)} others; name the folder with "
                "the same data in --data-dir or --data-dog-dir"
            )


def describe_result(
    task: "Task", read_from: "Task", confusion: "np.ndarray", dataset: "Dataset"
) -> dict:
    """What is written of a task: a row of `confusion` is a true class, a column an answer."""
    names = list(task.class_names or dataset.class_names)
    right, examples = int(confusion.trace()), int(confusion.sum())
    return {
        "name": task.name,
        "read_from": read_from.name,
        "accuracy": right / examples,
        "correct": right,
        "test": examples,
        # Of fewer breeds than the task may have, there are outputs that stand for none.
        "classes": names + [f"class {i}" for i in range(len(names), task.classes)],
        "confusion": confusion.tolist(),
    }


def show(results: list[dict], drawn: bool, quiet: bool) -> None:
    """Prints the accuracies, and the confusions unless quiet."""
    from runs.display import labels

    names = labels([result["name"] for result in results])
    width = max(map(len, names))
    print("test accuracy, %, on drawn data" if drawn else "test accuracy, %")
    for name, result in zip(names, results, strict=True):
        source = result["read_from"]
        other = f", read off the outputs for {source}" if source != result["name"] else ""
        counts = f"{result['correct']:,} of {result['test']:,}"
        print(f"{name:{width}}  {100 * result['accuracy']:6.2f}  ({counts}{other})")
    if not quiet:
        for result in results:
            many = len(result["classes"]) > MOST_COLUMNS
            print("", *(worst_confusions(result) if many else matrix(result)), sep="\n")


def matrix(result: dict) -> list[str]:
    """The confusion matrix in lines: a row for each true class, a column for each answer."""
    counts, names = result["confusion"], result["classes"]
    cell = max(3, len(str(max(map(max, counts)))), len(str(len(names) - 1)))
    labels = [f"{index} {name}" for index, name in enumerate(names)]
    width = max(map(len, labels))
    head = " ".join(f"{index:>{cell}}" for index in range(len(names)))
    return [
        f"{result['name']}: what was taken for which class (rows are true)",
        f"{'':{width}}  {head}",
        *(
            f"{label:{width}}  " + " ".join(f"{count:>{cell}}" for count in row)
            for label, row in zip(labels, counts, strict=True)
        ),
    ]


def worst_confusions(result: dict) -> list[str]:
    """The most frequent confusions in lines, of a matrix that is too large to print."""
    names = result["classes"]
    wrong = [
        (count, names[true], names[answer])
        for true, row in enumerate(result["confusion"])
        for answer, count in enumerate(row)
        if count and true != answer
    ]
    worst = sorted(wrong, key=lambda found: -found[0])[:WORST]
    return [
        f"{result['name']}: the most frequent confusions of {len(names)} classes",
        *(f"{count:>5}  {true} taken for {answer}" for count, true, answer in worst),
    ]


if __name__ == "__main__":
    prepare_outputs()
    sys.exit(main())
