"""Which command lines of task.py's can work: the rules of its README and --help, and no more."""

from itertools import pairwise

from tests.support.command_lines import (
    BACKBONES,
    BAD,
    CLASSES,
    COLUMNS,
    DRAWN,
    FILE,
    FOLDER,
    IMPOSSIBLE,
    NOWHERE,
    WHOLE,
    Given,
)


def faults(given: list[Given]) -> set[str]:
    """The flags that are to blame, if the command line cannot work; the rules are the README's."""
    told = {each.flag: each.meaning for each in given}
    if {"--epochs", "--max-steps"} <= told.keys():
        return {"--epochs"}
    bad = {each.flag for each in given if each.meaning is BAD}
    if bad:
        return bad
    found = {**of_places(told), **of_data(told), **of_schedule(told), **of_network(told)}
    blamed = {flag for flag, wrong in found.items() if wrong}
    return blamed or ({"--network"} if needed_bytes(told) > 10**12 else set())


def of_places(told: dict) -> dict[str, bool]:
    """Whether there is something else than the flag wants."""
    drawn = "--fake-data" in told
    return {
        "--log-dir": told.get("--log-dir") in (FILE, *IMPOSSIBLE),
        "--pickle-file": told.get("--pickle-file") in (FOLDER, *IMPOSSIBLE) and not drawn,
        "--data-dog-dir": told.get("--data-dog-dir") in (FILE, NOWHERE, *IMPOSSIBLE) and not drawn,
        "--data-dir": (told.get("--data-dir") in (FILE, NOWHERE, *IMPOSSIBLE) and not drawn)
        # Omniglot is in that one folder, and in the cache.
        or (told.get("--data-dir", FOLDER) != FOLDER and any(map(is_omniglot, tasks_of(told)))),
    }


def of_data(told: dict) -> dict[str, bool]:
    """Whether the tasks are there, have their data, and can share what they are to share."""
    tasks, drawn = tasks_of(told), "--fake-data" in told
    breeds = told.get("--dog-breeds", ["some", "breeds"])
    return {
        "--tasks": any(task not in CLASSES for task in tasks),
        "--fake-data": drawn and any(task not in DRAWN for task in tasks),
        "--dog-breeds": ("--dog-breeds" in told and drawn)
        or len(set(breeds)) != len(breeds)
        or not 2 <= len(breeds) <= 10,
        "--heads": heads_of(told) == "shared"
        and (network_of(told)[0] in COLUMNS or len(set(classes_of(told))) > 1),
    }


def of_schedule(told: dict) -> dict[str, bool]:
    """Whether the schedule has a use for its flags."""
    cycle = told.get("--schedule", "cycle") == "cycle"
    weights = told.get("--task-weights")
    return {
        "--task-time": "--task-time" in told and not cycle,
        "--task-weights": weights is not None
        and (cycle or len(weights) != len(classes_of(told)) or set(weights) == {0}),
    }


def of_network(told: dict) -> dict[str, bool]:
    """Whether the layers can follow each other, and have a use for their flags."""
    network = network_of(told)
    convs, fcs = network.count("conv"), network.count("fc")
    stack = network == ["conv"] * convs + ["fc"] * fcs and fcs > 0 and len(network) <= 50
    backbone, whole = network[0] in BACKBONES, network[0] in WHOLE
    weights = told.get("--weights", "none")
    random = weights == "none"
    return {
        "--network": not stack and not (whole and len(network) == 1),
        "--filters": len(told.get("--filters", [])) > convs,
        "--hidden-units": "--hidden-units" in told and fcs < 2,
        "--norm": whole and told.get("--norm", "batch") != "batch",
        "--dropout": network[0] in ("encoder", *BACKBONES) and told.get("--dropout", 1) != 1,
        "--stitch-init": "--stitch-init" in told and network[0] != "cross-stitch",
        "--weights": not random and (not backbone or weights not in ("imagenet", FILE)),
        "--freeze-backbone": "--freeze-backbone" in told and not backbone,
        "--image-size": backbone and told.get("--image-size", 28) < 32,
        "--standardize": backbone and not random and "--standardize" in told,
        "--input-style": backbone and not random and told.get("--input-style") == "channelplex",
    }


def needed_bytes(told: dict) -> int:
    """What one step must hold, in numbers of four bytes: a batch, its features, and the weights."""
    network, batch, size = network_of(told), told.get("--batch", 100), told.get("--image-size", 28)
    total = batch * size * size
    heads = classes_of(told) if heads_of(told) == "multi" else classes_of(told)[:1]
    if network[0] in WHOLE:
        columns = len(heads) if network[0] not in BACKBONES else 0
        return 4 * (total + columns * 64 * 1024 * (size // 4) * (size // 4))
    channels = 4 if told.get("--input-style") == "channelplex" else 3
    filters = told.get("--filters", [64, 128])
    for place in range(network.count("conv")):
        made = filters[place] if place < len(filters) else filters[-1]
        total += 5 * 5 * channels * made + batch * size * size * made
        total += made * made if told.get("--norm") == "lrn" else 0
        channels, size = made, -(-size // 2)
    widths = [size * size * channels]
    widths += [told.get("--hidden-units", 500)] * (network.count("fc") - 1) + [sum(heads)]
    for before, after in pairwise(widths):
        total += before * after + batch * after
    return 4 * total


def tasks_of(told: dict) -> list[str]:
    """What --tasks names."""
    return told.get("--tasks", ["dog", "id"])


def is_omniglot(task: str) -> bool:
    """Whether the task depends on which alphabets there are."""
    return task.startswith("omniglot")


def classes_of(told: dict) -> list[int]:
    """How many classes each task has, as far as there are such tasks."""
    return [count for task in tasks_of(told) for count in CLASSES.get(task, [])] or [10]


def network_of(told: dict) -> list[str]:
    """The layers."""
    return told.get("--network", ["conv", "fc"])


def heads_of(told: dict) -> str:
    """Which heads there are, named or not."""
    multi = network_of(told)[0] in ("encoder", *COLUMNS)
    return told.get("--heads", "multi" if multi else "shared")
