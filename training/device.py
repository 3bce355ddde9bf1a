"""TensorFlow, loaded without its chatter, on the device that was asked for."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from errors import RequestError


@contextmanager
def silenced() -> Iterator[None]:
    """Sends what is written to the process's standard error nowhere.

    TensorFlow's libraries write there before any setting of theirs can stop them. An exception
    still comes through, and is told once this is over.
    """
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def absent(module: str) -> Iterator[None]:
    """Lets an import of a module that is not loaded yet fail."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None
    try:
        yield
    finally:
        del sys.modules[module]


@contextmanager
def for_good() -> Iterator[None]:
    """Keeps the garbage collector from what TensorFlow is made of, if this loads it.

    To look through all of its modules takes most of a second, at the end of the process alone.
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


def choose_device(gpu: bool, threads: int | None = None) -> str:
    """Loads TensorFlow and sets it to the CPU or to the first GPU; says which that is.

    Args:
        gpu: take the first GPU.
        threads: as --threads has it; None for TensorFlow's own choice.

    Raises:
        RequestError: a GPU was asked for and TensorFlow sees none.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Keras loads matplotlib, if it can, for pictures that no run draws: half a second.
    with silenced(), absent("matplotlib"), for_good():
        import keras
        import tensorflow as tf

        # Settings of the user's own in ~/.keras/keras.json would change the network unseen.
        keras.config.set_floatx("float32")
        keras.config.set_image_data_format("channels_last")
        keras.config.set_epsilon(1e-7)
        # Such as that a loop is compiled for each task, which is meant.
        tf.get_logger().setLevel("ERROR")

        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        gpus = tf.config.list_physical_devices("GPU")
        if gpu and gpus:
            tf.config.set_visible_devices(gpus[0], "GPU")
            # Otherwise TensorFlow takes all of the GPU's memory at once.
            tf.config.experimental.set_memory_growth(gpus[0], True)
        else:
            tf.config.set_visible_devices([], "GPU")
        tf.config.list_logical_devices()  # starts the devices, which is noisy too
    if not gpu:
        return "CPU"
    if not gpus:
        raise RequestError(
            "--gpu: TensorFlow sees no GPU; install its CUDA build with "
            '`pipenv install --categories "packages gpu"` and check the driver with `nvidia-smi`, '
            "or leave out --gpu to train on the CPU"
        )
    return f"GPU ({tf.config.experimental.get_device_details(gpus[0]).get('device_name', '?')})"
