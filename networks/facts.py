"""The networks by name, and the settings that apply to each. Free of TensorFlow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkFacts:
    """The properties of a network that decide which settings apply to it."""

    is_layer: bool = False  # one of several in a stack, not a whole network
    heads: tuple[str, ...] = ("shared", "multi")  # those that it can have, its default first
    norms: tuple[str, ...] = ("batch",)
    dropout: bool = False
    cross_stitch: bool = False  # units that mix its columns
    pretrained: bool = False  # weights can be loaded into it
    min_image_size: int = 1  # pixels


LAYER = NetworkFacts(is_layer=True, norms=("batch", "lrn", "none"), dropout=True)
# keras.applications accepts no smaller images.
BACKBONE = NetworkFacts(pretrained=True, min_image_size=32)

NETWORKS = {
    "conv": LAYER,
    "fc": LAYER,
    "encoder": NetworkFacts(heads=("multi", "shared")),
    "towers": NetworkFacts(heads=("multi",), dropout=True),
    "cross-stitch": NetworkFacts(heads=("multi",), dropout=True, cross_stitch=True),
    "mobilenetv2": BACKBONE,
    "resnet50": BACKBONE,
}
