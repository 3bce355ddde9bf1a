"""The device that is asked for. No test here has a GPU: its calls are checked on a stand-in."""

import os
import subprocess
import sys

import pytest
import tensorflow as tf

from errors import RequestError
from model import build_network
from settings import parse_flags
from tests.support.command import ROOT
from training.device import choose_device, silenced


def test_everything_is_on_the_cpu_unless_asked():
    assert choose_device(gpu=False) == "CPU"
    assert tf.config.get_visible_devices("GPU") == []
    network = build_network(parse_flags([]), [10])
    assert {weight.value.device.rpartition("/")[2] for weight in network.trunk.weights} == {
        "device:CPU:0"
    }


def run_python(program: str) -> str:
    """What a Python process prints that has TensorFlow for itself."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_threads_are_as_many_as_asked():
    program = (
        "from training.device import choose_device; choose_device(gpu=False, threads=3); "
        "from tensorflow import config; threading = config.threading; "
        "print(threading.get_intra_op_parallelism_threads(), "
        "threading.get_inter_op_parallelism_threads())"
    )
    assert run_python(program) == "3 3"


def test_matplotlib_is_not_loaded_for_keras_and_can_be_loaded_later():
    program = (
        "import sys; from training.device import choose_device; choose_device(gpu=False); "
        "print('matplotlib.pyplot' in sys.modules); import matplotlib; print(matplotlib.__name__)"
    )
    assert run_python(program).split() == ["False", "matplotlib"]


def test_garbage_is_collected_but_not_looked_for_in_tensorflow():
    program = (
        "import gc; from training.device import choose_device; choose_device(gpu=False); "
        "frozen = gc.get_freeze_count(); lists = [[] for _ in range(1_000)]; "
        "choose_device(gpu=False); "  # as a second run in the same process would
        "print(gc.isenabled(), frozen > 100_000, gc.get_freeze_count() == frozen)"
    )
    assert run_python(program) == "True True True"


def test_no_gpu_is_refused():
    with pytest.raises(RequestError, match="TensorFlow sees no GPU"):
        choose_device(gpu=True)


@pytest.fixture
def two_gpus(monkeypatch):
    """Pretends that there are two GPUs, and notes what is set on them."""
    gpus = [tf.config.PhysicalDevice(f"/physical_device:GPU:{n}", "GPU") for n in (0, 1)]
    calls = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(
        tf.config, "set_visible_devices", lambda *arguments: calls.append(("visible", *arguments))
    )
    monkeypatch.setattr(
        tf.config.experimental,
        "set_memory_growth",
        lambda *arguments: calls.append(("growth", *arguments)),
    )
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda gpu: {"device_name": "Some GPU"}
    )
    return gpus, calls


def test_the_first_gpu_is_taken_and_grows_into_its_memory(two_gpus):
    gpus, calls = two_gpus
    assert choose_device(gpu=True) == "GPU (Some GPU)"
    assert calls == [("visible", gpus[0], "GPU"), ("growth", gpus[0], True)]


def test_a_gpu_that_is_there_is_not_used_unless_asked(two_gpus):
    _, calls = two_gpus
    assert choose_device(gpu=False) == "CPU"
    assert calls == [("visible", [], "GPU")]


def test_silence_ends(capfd):
    with silenced():
        os.write(2, b"chatter")
    os.write(2, b"a word")
    assert capfd.readouterr().err == "a word"
