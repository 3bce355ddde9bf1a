"""Checks of the network's settings against each other, and what follows from them."""

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from errors import RequestError
from networks.channels import CHANNELS
from networks.facts import NETWORKS, NetworkFacts
from settings import InputSettings, NetworkSettings, flag
from settings.setting import default_of
from settings.values import typed

# The folder of a run is named by its layers, and file systems allow 255 bytes a name.
MAX_LAYERS = 50
# Weights of a tower's column, or of a head of the encoder, for each 4×4 pixels of the input.
COLUMN_WEIGHTS = 65_536
# More memory than any machine has that this is for, in bytes; and the bytes of a float32.
MAX_MEMORY = 10**12
FLOAT_BYTES = 4

default = partial(default_of, NetworkSettings)


def resolve_network(
    network: NetworkSettings, images: InputSettings, classes: Mapping[str, int]
) -> NetworkSettings:
    """Checks the network's settings, and sets those that were left out.

    Args:
        classes: the number of classes of each task, by its name.

    Raises:
        RequestError: the settings cannot work together.
    """
    check_layers(network)
    facts = NETWORKS[network.network[0]]
    check_applicable(network, facts)
    check_input(network, images, facts)
    heads = resolve_heads(network, facts, classes)
    convolutions, hidden = network.network.count("conv"), network.network.count("fc") - 1
    given = network.filters or default("filters")
    dropout = default("dropout") if facts.dropout else 1.0
    return replace(
        network,
        heads=heads,
        filters=tuple(given[min(depth, len(given) - 1)] for depth in range(convolutions)),
        hidden_units=(network.hidden_units or default("hidden_units")) if hidden > 0 else None,
        norm=network.norm or default("norm"),
        dropout=dropout if network.dropout is None else network.dropout,
        stitch_init=(network.stitch_init or default("stitch_init")) if facts.cross_stitch else None,
    )


def named(network: NetworkSettings) -> str:
    """Returns --network with its layers, for messages."""
    return f"--network {typed(network.network)}"


def check_layers(network: NetworkSettings) -> None:
    """Refuses a stack of layers that cannot be built."""
    layers, name = network.network, named(network)
    for layer in layers:
        if layer not in NETWORKS:
            near = difflib.get_close_matches(layer, NETWORKS, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise RequestError(
                f"--network: there is no {layer!r}{hint}; there are {', '.join(NETWORKS)}"
            )
    whole = [layer for layer in layers if not NETWORKS[layer].is_layer]
    if whole and len(layers) > 1:
        raise RequestError(f"{name}: {whole[0]} is a whole network; name it alone")
    if not whole and layers[-1] != "fc":
        raise RequestError(f"{name}: must end in fc, the output layer")
    if len(layers) > MAX_LAYERS:
        raise RequestError(f"--network: expected at most {MAX_LAYERS} layers, got {len(layers)}")
    if "conv" in layers[layers.count("conv") :]:
        raise RequestError(
            f"{name}: a conv cannot follow an fc, which leaves no image; name the convs first"
        )


def check_applicable(network: NetworkSettings, facts: NetworkFacts) -> None:
    """Refuses settings that would change nothing in the network."""
    layers, name = network.network, named(network)
    if network.filters and len(network.filters) > layers.count("conv"):
        raise RequestError(
            f"--filters {typed(network.filters)}: one number for each conv at most, and {name} has "
            f"{layers.count('conv')}"
        )
    for setting, given, applies, part in (
        ("hidden_units", network.hidden_units, layers.count("fc") > 1, "fc before the output"),
        ("norm", network.norm not in (None, "batch"), facts.norms, "other norm than batch"),
        ("dropout", network.dropout not in (None, 1), facts.dropout, "dropout"),
        ("stitch_init", network.stitch_init, facts.cross_stitch, "cross-stitch units"),
        ("weights", network.weights != "none", facts.backbone, "backbone"),
        ("freeze_backbone", network.freeze_backbone, facts.backbone, "backbone"),
    ):
        if given and not applies:
            raise RequestError(
                f"{flag(setting)}: {name} has no {part}; leave the flag out, or name another "
                "--network"
            )


def check_input(network: NetworkSettings, images: InputSettings, facts: NetworkFacts) -> None:
    """Refuses images that the network, or its pre-trained weights, cannot take."""
    if images.image_size < facts.min_image_size:
        raise RequestError(
            f"--image-size {images.image_size}: {named(network)} needs {facts.min_image_size} or "
            "more"
        )
    weights = network.weights
    if weights == "none":
        return
    if weights != "imagenet" and not os.path.isfile(weights):
        raise RequestError(
            f"--weights: there is no file {weights!r}; name one, or none for random weights, or "
            "imagenet to download them"
        )
    for option, given in (
        ("--standardize", images.standardize),
        ("--input-style channelplex", images.input_style == "channelplex"),
    ):
        if given:
            raise RequestError(
                f"{option}: the weights of --weights {weights} are for three channels of their own "
                "scale; leave one of the two out"
            )


def resolve_heads(network: NetworkSettings, facts: NetworkFacts, classes: Mapping[str, int]) -> str:
    """Returns the kind of heads, and refuses a shared one for tasks that need different ones."""
    heads = network.heads or facts.heads[0]
    if heads not in facts.heads:
        raise RequestError(
            f"--heads {heads}: {named(network)} has a column and an output for each task"
        )
    if heads == "shared" and len(set(classes.values())) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in classes.items())
        raise RequestError(
            "--tasks: with --heads shared all must have equally many classes, and they have "
            f"{counts}; name --heads multi for an output layer for each task"
        )
    return heads


def check_memory(
    network: NetworkSettings, images: InputSettings, batch: int, classes: Sequence[int]
) -> None:
    """Refuses sizes that together are beyond any machine's memory.

    Args:
        network: resolved settings.
        classes: the number of classes of each task.
    """
    outputs = classes if network.heads == "multi" else classes[:1]
    needed = FLOAT_BYTES * least_numbers(network, images, batch, outputs)
    if needed > MAX_MEMORY:
        raise RequestError(
            f"{named(network)}: a training step needs {needed / 1e9:,.0f} GB of memory or more, "
            f"expected at most {MAX_MEMORY / 1e9:,.0f}; lower --batch, --image-size, --filters or "
            "--hidden-units"
        )


def least_numbers(
    network: NetworkSettings, images: InputSettings, batch: int, outputs: Sequence[int]
) -> int:
    """Returns a lower bound of the numbers in a step: weights, and a batch's activations."""
    size, channels = images.image_size, CHANNELS[images.input_style]
    numbers = batch * size**2  # the images, if they are gray
    facts = NETWORKS[network.network[0]]
    if facts.backbone:
        return numbers
    if not facts.is_layer:
        return numbers + COLUMN_WEIGHTS * (size // 4) ** 2 * len(outputs)
    for filters in network.filters:
        numbers += (25 * channels + batch * size**2) * filters
        # Pooling halves the size, and lrn has a window of weights between all channels.
        size, channels = (size + 1) // 2, filters
        numbers += filters**2 if network.norm == "lrn" else 0
    width = size**2 * channels
    hidden = [network.hidden_units] * (network.network.count("fc") - 1)
    for units in (*hidden, sum(outputs)):
        numbers += (width + batch) * units
        width = units
    return numbers
