"""The rows that announce a run on the terminal: a label and a text each."""

import shlex
from pathlib import Path
from typing import Any

from settings import NetworkSettings, Settings, TaskSettings, TrainingSettings

# With more tasks the terminal names only the first.
MAX_TASKS = 12
# A keep probability below this is likely meant as a share to drop.
LOW_KEEP = 0.5
DRAWN = "DRAWN DATA: its accuracies say nothing of MNIST or of photographs"

Rows = list[tuple[str, str]]


def announce_run(settings: Settings, config: dict[str, Any], folder: Path) -> Rows:
    """Returns the rows for a run, whose `config.json` is `config`."""
    return [
        *announce_tasks(config["tasks"]),
        *(("data", dataset["origin"]) for dataset in config["data"].values()),
        *([("", DRAWN)] if settings.data.fake_data else []),
        *announce_resumption(config, settings.tasks.max_steps),
        ("input", describe_input(settings)),
        ("network", describe_network(settings.network, config)),
        *describe_training(settings.training, settings.network.dropout),
        ("schedule", describe_schedule(settings.tasks)),
        *never_trained(settings.tasks, config["tasks"]),
        ("device", (config.get("resumed") or [config])[-1]["device"]),
        ("folder", str(folder)),
        ("to watch", f"tensorboard --logdir {shlex.quote(str(settings.log.log_dir))}"),
    ]


def announce_tasks(tasks: list[dict[str, Any]]) -> Rows:
    """Returns a row for each task, or a count of those beyond the first few."""
    texts = [
        f"{task['name']}: {task['description']}; "
        f"{task['train']:,} to train, {task['test']:,} to test"
        for task in tasks
    ]
    if len(texts) > MAX_TASKS:
        texts = [*texts[: MAX_TASKS - 1], f"and {len(texts) - MAX_TASKS + 1} more"]
    return [("" if index else "tasks", text) for index, text in enumerate(texts)]


def announce_resumption(config: dict[str, Any], max_steps: int) -> Rows:
    """Returns the step from which a run resumes, and what may change its last digits."""
    if not config.get("resumed"):
        return []
    now = config["resumed"][-1]
    rows = [("resumes", f"after {now['step']:,} of {max_steps:,} steps")]
    for name, (before, is_now) in now["otherwise"].items():
        rows.append(("", f"{name} {is_now} in place of {before}: the last digits may differ"))
    return rows


def describe_input(settings: Settings) -> str:
    """Describes the images as the network sees them."""
    size = settings.input.image_size
    standardized = ", each pixel standardized" if settings.input.standardize else ""
    return f"{size}×{size} pixels, {settings.input.input_style}{standardized}"


def describe_network(network: NetworkSettings, config: dict[str, Any]) -> str:
    """Describes the layers, the heads, and the number of parameters."""
    norm = {"batch": "batch", "lrn": "local response", "none": "no"}[network.norm]
    several = network.heads == "multi" and len(config["tasks"]) > 1
    heads = " and a head for each task" if several else ""
    return (
        f"{' '.join(network.network)}{heads}: {config['parameters']:,} parameters, {norm} "
        "normalization"
    )


def describe_training(training: TrainingSettings, keep: float) -> Rows:
    """Describes the optimizer and the regularization, with a note on a low --dropout."""
    l2 = f", l2 {training.l2:g}" if training.l2 else ""
    text = (
        f"{training.optimizer}, learning rate {training.learning_rate:g}{l2}, batch "
        f"{training.batch}, keep probability {keep:g}, seed {training.seed}"
    )
    note = f"note: --dropout is the probability to keep a value; {1 - keep:g} of them are dropped"
    return [("training", text), *([("", note)] if keep < LOW_KEEP else [])]


def describe_schedule(tasks: TaskSettings) -> str:
    """Describes how long each task is trained, and when."""
    steps = f"{tasks.max_steps:,} steps"
    if len(tasks.tasks) == 1:
        return steps
    if tasks.schedule == "cycle":
        return f"{steps}, {tasks.task_time:,} on each task in turn"
    weights = " ".join(f"{weight:g}" for weight in tasks.task_weights or ())
    in_proportion = f", in proportion to {weights}" if weights else ""
    if tasks.schedule == "random":
        return f"{steps}, each on a task drawn at random{in_proportion}"
    return f"{steps}, each on all tasks, with the {tasks.joint_loss} of their losses{in_proportion}"


def never_trained(settings: TaskSettings, tasks: list[dict[str, Any]]) -> Rows:
    """Returns a row that names the tasks that no step trains, if there are any."""
    names = [task["name"] for task in tasks if task["steps"] == 0]
    text = f"too few for a turn of {', '.join(names)}; lower --task-time or raise --max-steps"
    if settings.schedule == "random":
        text = f"never drawn: {', '.join(names)}; raise --max-steps, or its --task-weights"
    return [("", text)] if names else []
