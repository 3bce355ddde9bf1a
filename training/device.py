"""TensorFlow, loaded without its messages, on the device that was requested."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

from command import check_limits
from errors import RequestError
from settings import DeviceSettings

# Bytes of address space that TensorFlow takes.
MEMORY = 1_500 * 1024**2


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


def load_keras() -> ModuleType:
    """Loads Keras without the user's keras.json, which it would heed, fail on, or write.

    Downloaded weights stay in the user's folder.
    """
    home = os.path.expanduser("~")
    own = os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")  # as Keras does
    given = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = os.path.join(os.devnull, "keras")  # no file can be there
    try:
        import keras
        import keras.src.backend.config as config
    finally:
        del os.environ["KERAS_HOME"]
        if given is not None:
            os.environ["KERAS_HOME"] = given
    config._KERAS_DIR = given or own
    return keras


def choose_device(settings: DeviceSettings, progress_bars: bool) -> str:
    """Loads TensorFlow, sets it to the CPU or to the first GPU, and returns the device's name.

    Args:
        progress_bars: whether Keras may draw bars while it downloads weights.

    Raises:
        RequestError: a GPU was requested and TensorFlow sees none, or TensorFlow cannot be loaded
            under the limits or the options of this process.
    """
    check_limits(MEMORY)
    if sys.flags.optimize > 1:
        raise RequestError(
            "Keras needs the docstrings that PYTHONOPTIMIZE=2 and `python -OO` leave out; unset it"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # Keras loads matplotlib, if it can, for pictures that no run draws: half a second.
    with silenced(), absent("matplotlib"), without_collection():
        keras = load_keras()
        import tensorflow as tf

        if not progress_bars:
            keras.config.disable_interactive_logging()
        # Such as that a loop is compiled for each task, which is intended.
        tf.get_logger().setLevel("ERROR")
        if settings.threads is not None:
            with suppress(RuntimeError):  # a process keeps those that it has started with
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
