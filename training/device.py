"""TensorFlow, loaded without its messages, on the device that was requested."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from errors import RequestError
from settings import DeviceSettings


@contextmanager
def silenced() -> Iterator[None]:
    """Discards the process's standard error while this is open.

    TensorFlow's libraries write to it before any setting of theirs can stop them. Exceptions pass.
    """
    saved = os.dup(2)
    null_device = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null_device, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null_device)


@contextmanager
def absent(module: str) -> Iterator[None]:
    """Makes an import of a module fail that is not loaded yet."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None
    try:
        yield
    finally:
        del sys.modules[module]


@contextmanager
def without_collection() -> Iterator[None]:
    """Exempts the objects of TensorFlow, if it is loaded inside, from garbage collection.

    To scan its modules takes most of a second, at the end of the process alone.
    """
    if "tensorflow" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def configure(keras: ModuleType, progress_bars: bool) -> None:
    """Replaces the user's settings in ~/.keras/keras.json, which would change the network."""
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
    keras.config.set_epsilon(1e-7)
    if not progress_bars:
        keras.config.disable_interactive_logging()


def choose_device(settings: DeviceSettings, progress_bars: bool) -> str:
    """Loads TensorFlow, sets it to the CPU or to the first GPU, and returns the device's name.

    Args:
        progress_bars: whether Keras may draw bars while it downloads weights.

    Raises:
        RequestError: a GPU was requested and TensorFlow sees none.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Keras loads matplotlib, if it can, for pictures that no run draws: half a second.
    with silenced(), absent("matplotlib"), without_collection():
        import keras
        import tensorflow as tf

        configure(keras, progress_bars)
        # Such as that a loop is compiled for each task, which is intended.
        tf.get_logger().setLevel("ERROR")
        if settings.threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
            tf.config.threading.set_inter_op_parallelism_threads(settings.threads)
        gpus = tf.config.list_physical_devices("GPU")
        if settings.gpu and gpus:
            tf.config.set_visible_devices(gpus[0], "GPU")
            # Otherwise TensorFlow takes all of the GPU's memory at once.
            tf.config.experimental.set_memory_growth(gpus[0], True)
        else:
            tf.config.set_visible_devices([], "GPU")
        tf.config.list_logical_devices()  # starts the devices, which prints messages too
    if not settings.gpu:
        return "CPU"
    if not gpus:
        raise RequestError(
            "--gpu: TensorFlow sees no GPU; install its CUDA build with "
            '`pipenv install --categories "packages gpu"` and check the driver with `nvidia-smi`, '
            "or leave out --gpu to train on the CPU"
        )
    return f"GPU ({tf.config.experimental.get_device_details(gpus[0]).get('device_name', '?')})"
