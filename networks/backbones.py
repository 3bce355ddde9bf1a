"""Networks of keras.applications as the trunk, with random or pre-trained weights."""

import argparse
import re
import warnings
from collections.abc import Callable, Sequence

import keras

from errors import RequestError
from networks.layers import output, stack
from settings.randomness import Stream, stream_key
from terminal import is_terminal

# Each network, and how its own weights want images in [0, 255] to be scaled.
BACKBONES = {
    "mobilenetv2": (
        keras.applications.MobileNetV2,
        keras.applications.mobilenet_v2.preprocess_input,
    ),
    "resnet50": (keras.applications.ResNet50, keras.applications.resnet50.preprocess_input),
}


def build(
    settings: argparse.Namespace, input_shape: tuple[int, int, int], outputs: Sequence[int]
) -> tuple[keras.Model, list[keras.Model]]:
    """Trunk and heads: the backbone up to its pooled features, and an output for each of `outputs`.

    Raises:
        RequestError: the pre-trained weights cannot be had, or do not fit.
    """
    make, preprocess = BACKBONES[settings.network[0]]
    backbone = make_backbone(settings, make, input_shape)
    backbone.trainable = not settings.freeze_backbone
    images = keras.Input(input_shape)
    scaled = images if settings.standardize else preprocess(images * 255)
    trunk = keras.Model(images, backbone(scaled))
    heads = [
        stack(trunk.output_shape[1:], output(settings, classes, place=1 + index))
        for index, classes in enumerate(outputs)
    ]
    return trunk, heads


def make_backbone(
    settings: argparse.Namespace,
    make: Callable[..., keras.Model],
    input_shape: tuple[int, int, int],
) -> keras.Model:
    """The backbone with the weights that the flags name, from images to features [B, F] float32."""
    # Its layers name no seeds of their own for their random weights.
    keras.utils.set_random_seed(stream_key(settings.seed, Stream.WEIGHTS))
    if settings.quiet or not is_terminal():
        keras.config.disable_interactive_logging()  # a bar is no use in a file
    weights = settings.weights
    try:
        with warnings.catch_warnings():
            # That weights made on images of 224×224 are taken for smaller ones: that is meant.
            warnings.simplefilter("ignore")
            return make(
                include_top=False,
                weights=None if weights == "none" else weights,
                input_shape=input_shape,
                pooling="avg",
            )
    except Exception as error:  # Keras raises a bare Exception for a failed download
        way_out = (
            "connect to a network, or download the weights without the top elsewhere and name "
            "their file with --weights FILE"
            if weights == "imagenet"
            else f"expected weights of {settings.network[0]} without its top, as "
            "keras.applications saves them, in a file that ends in .h5"
        )
        raise RequestError(
            f"--weights {weights}: cannot be had ({first_sentence(error)}); {way_out}"
        ) from error


def first_sentence(error: Exception) -> str:
    """What Keras says, without the lists of layers that may follow it."""
    return re.split(r"\.\s|\n", str(error))[0][:200]
