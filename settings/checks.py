"""Checks of the flags together, and what follows from those that were left out."""

import argparse
import os
from functools import cache
from stat import S_ISDIR, S_ISREG

from errors import RequestError
from networks.channels import CHANNELS
from tasks import TASKS, Task, find_tasks

TASK_TIME = 2_000
MAX_STEPS = 25_000
# The share of values that dropout keeps, in the networks that have dropout.
KEEP = 0.9
# Filters of the first convolution, and of the second and any further one.
FILTERS = (64, 128)
HIDDEN_UNITS = 500

# Networks that have a column for each task, and those that keras.applications has.
COLUMNS = ("towers", "cross-stitch")
BACKBONES = ("mobilenetv2", "resnet50")
WHOLE_NETWORKS = ("encoder", *COLUMNS, *BACKBONES)
NETWORKS = ("conv", "fc", *WHOLE_NETWORKS)
# keras.applications takes no smaller images, in pixels.
SMALLEST_BACKBONE_IMAGE = 32
# The names of all layers are in that of the run's folder, for which file systems have 255 bytes.
MOST_LAYERS = 50
# The weights that a column, or a head of the encoder, has for each 4×4 pixels.
WEIGHTS_OF_A_WHOLE = 65_536
# What no machine has that this is for, in bytes; and those of a float32, in which is computed.
MOST_MEMORY = 10**12
FLOAT_BYTES = 4
# The datasets that --fake-data can draw.
DRAWN = ("mnist", "dogs")


def check_and_resolve(settings: argparse.Namespace) -> None:
    """Refuses what cannot work, and sets what follows from other flags.

    Raises:
        RequestError: flags that cannot work together.
    """
    check_data(settings)
    check_places(settings)
    tasks = chosen_tasks(settings)
    settings.tasks = [task.name for task in tasks]
    check_schedule(settings)
    check_layers(settings)
    check_whole_network(settings)
    check_backbone(settings)
    check_heads(settings, tasks)
    resolve(settings)
    check_memory(settings, tasks)


def chosen_tasks(settings: argparse.Namespace) -> list[Task]:
    """The tasks that --tasks names.

    Raises:
        RequestError: there is no such task, or its images cannot be drawn where they should be.
    """

    @cache
    def alphabets() -> dict[str, list[str]]:
        from data.omniglot import find_alphabets

        return find_alphabets(settings.data_dir, settings.quiet)

    undrawn = [name for name in settings.tasks if settings.fake_data and not can_be_drawn(name)]
    if undrawn:
        raise RequestError(
            f"--fake-data: there are no drawn pictures for the task {undrawn[0]}; leave "
            "--fake-data out, or take tasks on digits and dogs"
        )
    return find_tasks(settings.tasks, alphabets)


def can_be_drawn(name: str) -> bool:
    """Whether the task of that name is one on pictures that can be drawn, or is none at all."""
    family = name.partition(":")[0]
    return family != "omniglot" and (family not in TASKS or TASKS[family].dataset in DRAWN)


def check_data(settings: argparse.Namespace) -> None:
    """Refuses folders that are not there, and a choice of breeds that is none."""
    for flag, folder in (
        ("--data-dir", settings.data_dir),
        ("--data-dog-dir", settings.data_dog_dir),
    ):
        # os.path takes a name that no folder can have, where pathlib fails.
        if folder is not None and not os.path.isdir(folder) and not settings.fake_data:
            raise RequestError(
                f"{flag}: there is no folder {folder}; name one that has the data, leave {flag} "
                "out to download it, or use --fake-data"
            )
    if settings.fake_data and settings.dog_breeds:
        raise RequestError("--dog-breeds: drawn dogs have breeds of their own; leave one flag out")
    breeds, most = settings.dog_breeds, TASKS["dog"].classes
    if breeds is not None and not 2 <= len(set(breeds)) == len(breeds) <= most:
        raise RequestError(
            f"--dog-breeds: expected 2 to {most} different breeds, got {' '.join(breeds)}"
        )


def check_places(settings: argparse.Namespace) -> None:
    """Refuses to write where there is something else, or can be nothing at all."""
    cache_file = None if settings.fake_data else settings.pickle_file
    for flag, path, kind, fits in (
        ("--log-dir", settings.log_dir, "folder", S_ISDIR),
        ("--pickle-file", cache_file, "file", S_ISREG),
    ):
        try:
            str(path).encode()  # TensorFlow takes no other names
            problem = None if path is None or fits(path.stat().st_mode) else f"it is no {kind}"
        except FileNotFoundError:
            problem = None  # a run makes it
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error)
        if problem:
            raise RequestError(f"{flag}: {path} cannot be used ({problem}); name another {kind}")


def check_schedule(settings: argparse.Namespace) -> None:
    """Refuses flags that the schedule has no use for, and weights that are none."""
    schedule, weights = settings.schedule, settings.task_weights
    if settings.task_time and schedule != "cycle":
        raise RequestError(
            f"--task-time: --schedule {schedule} has no turns of a length; leave one of them out"
        )
    if weights is None:
        return
    if schedule == "cycle":
        raise RequestError(
            "--task-weights: --schedule cycle gives every task the same time; name --schedule "
            "random or joint, or leave it out"
        )
    if len(weights) != len(settings.tasks):
        raise RequestError(
            f"--task-weights: expected {len(settings.tasks)} numbers, one for each task, got "
            f"{len(weights)}; the tasks are {' '.join(settings.tasks)}"
        )
    if not any(weights):
        raise RequestError("--task-weights: all are 0; at least one task must have a weight")


def check_layers(settings: argparse.Namespace) -> None:
    """Refuses a stack of layers that cannot be built."""
    network = settings.network
    name = f"--network {' '.join(network)}"
    whole = [layer for layer in network if layer in WHOLE_NETWORKS]
    if whole and len(network) > 1:
        raise RequestError(f"{name}: {whole[0]} is a whole network; name it alone")
    if not whole and network[-1] != "fc":
        raise RequestError(f"{name}: must end in fc, the output layer")
    if len(network) > MOST_LAYERS:
        raise RequestError(f"--network: expected at most {MOST_LAYERS} layers, got {len(network)}")
    convolutions = network.count("conv")
    if "conv" in network[convolutions:]:
        raise RequestError(
            f"{name}: a conv cannot follow an fc, which leaves no image; name the convs first"
        )
    if settings.filters and len(settings.filters) > convolutions:
        raise RequestError(
            f"--filters {' '.join(map(str, settings.filters))}: one number for each conv at most, "
            f"and {name} has {convolutions}"
        )
    if settings.hidden_units and network.count("fc") < 2:
        way_out = "leave it out" if whole else f"add one, as in {name} fc"
        raise RequestError(f"--hidden-units: {name} has no fc before the output; {way_out}")


def check_whole_network(settings: argparse.Namespace) -> None:
    """Refuses flags that would change nothing in the network that is named."""
    network = settings.network[0]
    if network in WHOLE_NETWORKS and settings.norm not in (None, "batch"):
        raise RequestError(
            f"--norm {settings.norm}: --network {network} has batch normalisation; leave it out"
        )
    if network in ("encoder", *BACKBONES) and settings.dropout not in (None, 1):
        raise RequestError(f"--dropout: --network {network} has no dropout; leave it out")
    if settings.stitch_init and network != "cross-stitch":
        raise RequestError("--stitch-init: only --network cross-stitch has units to begin with it")
    for flag, given in (
        ("--weights", settings.weights not in (None, "none")),
        ("--freeze-backbone", settings.freeze_backbone),
    ):
        if given and network not in BACKBONES:
            raise RequestError(f"{flag}: only --network {' and '.join(BACKBONES)} have a backbone")


def check_backbone(settings: argparse.Namespace) -> None:
    """Refuses what keras.applications' networks, or their pre-trained weights, cannot take."""
    network = settings.network[0]
    if network not in BACKBONES:
        return
    if settings.image_size < SMALLEST_BACKBONE_IMAGE:
        raise RequestError(
            f"--image-size {settings.image_size}: --network {network} needs "
            f"{SMALLEST_BACKBONE_IMAGE} or more"
        )
    if settings.weights in (None, "none"):
        return
    if settings.weights != "imagenet" and not os.path.isfile(settings.weights):
        raise RequestError(
            f"--weights: there is no file {settings.weights!r}; name one, or none for random "
            "weights, or imagenet to download them"
        )
    for flag, given in (
        ("--standardize", settings.standardize),
        ("--input-style channelplex", settings.input_style == "channelplex"),
    ):
        if given:
            raise RequestError(
                f"{flag}: the weights of --weights {settings.weights} are for three channels of "
                "their own scale; leave one of the two out"
            )


def check_heads(settings: argparse.Namespace, tasks: list[Task]) -> None:
    """Refuses a shared output layer for tasks that need different ones."""
    network = settings.network[0]
    if settings.heads == "shared" and network in COLUMNS:
        raise RequestError(
            f"--heads shared: --network {network} has a column and an output for each task"
        )
    settings.heads = settings.heads or ("multi" if network in ("encoder", *COLUMNS) else "shared")
    classes = {task.name: task.classes for task in tasks}
    if settings.heads == "shared" and len(set(classes.values())) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in classes.items())
        raise RequestError(
            "--heads shared: the tasks must have as many classes each, and they have "
            f"{counts}; name --heads multi for an output layer of each task's own"
        )


def resolve(settings: argparse.Namespace) -> None:
    """Sets what was left out, as far as it follows from the flags alone."""
    network = settings.network[0]
    if settings.schedule == "cycle":
        settings.task_time = settings.task_time or TASK_TIME
    if settings.epochs is None:
        settings.max_steps = settings.max_steps or MAX_STEPS
    given = settings.filters or FILTERS
    settings.filters = [
        given[min(depth, len(given) - 1)] for depth in range(settings.network.count("conv"))
    ]
    if settings.network.count("fc") > 1:
        settings.hidden_units = settings.hidden_units or HIDDEN_UNITS
    settings.norm = settings.norm or "batch"
    if settings.dropout is None:
        settings.dropout = 1.0 if network in ("encoder", *BACKBONES) else KEEP
    if network == "cross-stitch":
        settings.stitch_init = settings.stitch_init or [1.0, 0.0]
    if settings.weights is None:
        settings.weights = "none"


def check_memory(settings: argparse.Namespace, tasks: list[Task]) -> None:
    """Refuses sizes that together are beyond any machine's memory."""
    needed = FLOAT_BYTES * least_numbers(settings, tasks)
    if needed > MOST_MEMORY:
        raise RequestError(
            f"--network {' '.join(settings.network)}: a training step needs {needed / 1e9:,.0f} GB "
            f"of memory or more, expected at most {MOST_MEMORY / 1e9:,.0f}; lower --batch, "
            "--image-size, --filters or --hidden-units"
        )


def least_numbers(settings: argparse.Namespace, tasks: list[Task]) -> int:
    """How many numbers a training step takes at least: weights, and what a batch becomes."""
    batch, size, channels = settings.batch, settings.image_size, CHANNELS[settings.input_style]
    outputs = [task.classes for task in (tasks if settings.heads == "multi" else tasks[:1])]
    numbers = batch * size**2  # the images, if they are grey
    if settings.network[0] in BACKBONES:
        return numbers
    if settings.network[0] in WHOLE_NETWORKS:
        return numbers + WEIGHTS_OF_A_WHOLE * (size // 4) ** 2 * len(outputs)
    for filters in settings.filters:
        numbers += (25 * channels + batch * size**2) * filters
        # Pooling halves the size, and lrn has a window of weights between all channels.
        size, channels = (size + 1) // 2, filters
        numbers += filters**2 if settings.norm == "lrn" else 0
    width = size**2 * channels
    for units in [settings.hidden_units] * (settings.network.count("fc") - 1) + [sum(outputs)]:
        numbers += (width + batch) * units
        width = units
    return numbers
