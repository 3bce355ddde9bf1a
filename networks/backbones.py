"""Networks of keras.applications as the trunk, with random or pre-trained weights."""

import re
import warnings
from collections.abc import Sequence

import keras
import numpy as np

from errors import RequestError
from networks.channels import input_shape
from networks.layers import output, stack
from settings import InputSettings, NetworkSettings
from settings.randomness import Stream, stream_key

# Each network, and the scaling of images in [0, 255] that its pre-trained weights need.
BACKBONES = {
    "mobilenetv2": (
        keras.applications.MobileNetV2,
        keras.applications.mobilenet_v2.preprocess_input,
    ),
    "resnet50": (keras.applications.ResNet50, keras.applications.resnet50.preprocess_input),
}


def build(
    settings: NetworkSettings, images: InputSettings, outputs: Sequence[int], seed: int
) -> tuple[keras.Model, list[keras.Model]]:
    """Builds the trunk, the backbone up to its pooled features, and a head for each of `outputs`.

    Raises:
        RequestError: the pre-trained weights cannot be loaded, or do not fit.
    """
    _, preprocess = BACKBONES[settings.network[0]]
    pixels = keras.Input(input_shape(images))
    backbone = make_backbone(settings, input_shape(images), seed)
    backbone.trainable = not settings.freeze_backbone
    scaled = pixels if images.standardize else preprocess(pixels * 255)
    trunk = keras.Model(pixels, backbone(scaled))
    heads = [
        stack(trunk.output_shape[1:], output(classes, seed, place=1 + index))
        for index, classes in enumerate(outputs)
    ]
    return trunk, heads


def make_backbone(settings: NetworkSettings, shape: tuple[int, int, int], seed: int) -> keras.Model:
    """Builds the backbone, from images [B, H, W, C] to features [B, F] float32, with its weights.

    Raises:
        RequestError: the weights cannot be loaded, or do not fit.
    """
    make, _ = BACKBONES[settings.network[0]]
    # Its layers have no seeds of their own for their random weights.
    keras.utils.set_random_seed(stream_key(seed, Stream.WEIGHTS))
    weights = settings.weights
    try:
        with warnings.catch_warnings():
            # That weights for images of 224×224 are used for smaller ones is intended.
            warnings.simplefilter("ignore")
            backbone = make(
                include_top=False,
                weights=None if weights == "none" else weights,
                input_shape=shape,
                pooling="avg",
            )
        if not all(np.isfinite(values).all() for values in backbone.get_weights()):
            raise ValueError("they are not finite")
        return backbone
    except Exception as error:  # Keras raises a bare Exception for a failed download
        advice = (
            "connect to a network, or download the weights without the top elsewhere and name "
            "their file with --weights FILE"
            if weights == "imagenet"
            else f"expected weights of {settings.network[0]} without its top, as "
            "keras.applications saves them, in a file that ends in .h5"
        )
        raise RequestError(
            f"--weights {weights}: cannot be loaded ({first_sentence(error)}); {advice}"
        ) from error


def first_sentence(error: Exception) -> str:
    """Returns the first sentence of Keras's message, without the lists of layers after it."""
    return re.split(r"\.\s|\n", str(error))[0][:200]
