"""The networks by name, and the settings that apply to each. Free of TensorFlow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkFacts:
    """The properties of a network that decide which settings apply to it."""

    is_layer: bool = False  # one of several in a stack, not a whole network
    heads: tuple[str, ...] = ("shared", "multi")  # those that it can have, its default first
    norms: bool = False  # a choice of normalization, not batch normalization alone
    dropout: bool = False
    cross_stitch: bool = False  # units that mix its columns
    backbone: bool = False  # a network of keras.applications, for which weights can be loaded
    min_image_size: int = 1  # pixels


LAYER = NetworkFacts(is_layer=True, norms=True, dropout=True)
# keras.applications accepts no smaller images.
BACKBONE = NetworkFacts(backbone=True, min_image_size=32)

NETWORKS = {
    "conv": LAYER,
    "fc": LAYER,
    "encoder": NetworkFacts(heads=("multi", "shared")),
    "towers": NetworkFacts(heads=("multi",), dropout=True),
    "cross-stitch": NetworkFacts(heads=("multi",), dropout=True, cross_stitch=True),
    "mobilenetv2": BACKBONE,
    "resnet50": BACKBONE,
}
