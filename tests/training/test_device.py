"""The device that was requested. No test here has a GPU: its calls are checked on a stand-in."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from errors import RequestError
from settings import DeviceSettings
from tests.support.command import ROOT
from tests.support.problems import make_network
from training.device import choose_device, silenced


def choose(gpu: bool) -> str:
    return choose_device(DeviceSettings(gpu=gpu), progress_bars=False)


def test_the_cpu_is_used_by_default():
    assert choose_device(DeviceSettings(), progress_bars=False) == "CPU"
    assert tf.config.get_visible_devices("GPU") == []
    devices = {weight.value.device.rpartition("/")[2] for weight in make_network().trunk.weights}
    assert devices == {"device:CPU:0"}


def test_a_process_loads_tensorflow_with_the_threads_requested_and_without_delay():
    """Without Matplotlib, which can be loaded later, and without scanning TensorFlow's objects."""
    program = """if True:
        import gc, json, sys
        from settings import DeviceSettings
        from training.device import choose_device
        choose_device(DeviceSettings(threads=3), progress_bars=False)
        frozen = gc.get_freeze_count()
        found = {"many frozen": frozen > 100_000, "pyplot": "matplotlib.pyplot" in sys.modules}
        lists = [[] for _ in range(1_000)]
        choose_device(DeviceSettings(), progress_bars=False)  # as a second run in this process
        found |= {"collected": gc.isenabled(), "as many": gc.get_freeze_count() == frozen}
        import matplotlib
        from tensorflow.config import threading
        found["intra"] = threading.get_intra_op_parallelism_threads()
        found["inter"] = threading.get_inter_op_parallelism_threads()
        print(json.dumps(found))
    """
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    collection = {"collected": True, "many frozen": True, "as many": True}
    assert json.loads(done.stdout) == {**collection, "pyplot": False, "intra": 3, "inter": 3}


def test_a_missing_gpu_is_refused():
    with pytest.raises(RequestError, match="TensorFlow sees no GPU"):
        choose(gpu=True)


@pytest.fixture
def two_gpus(monkeypatch):
    """Pretends that there are two GPUs, and records the calls that configure them."""
    experimental = tf.config.experimental
    gpus = [tf.config.PhysicalDevice(f"/physical_device:GPU:{n}", "GPU") for n in (0, 1)]
    calls = []
    for owner, name, stand_in in (
        (tf.config, "list_physical_devices", lambda kind: gpus),
        (tf.config, "set_visible_devices", lambda *call: calls.append(("visible", *call))),
        (
            tf.config.experimental,
            "set_memory_growth",
            lambda *call: calls.append(("growth", *call)),
        ),
        (experimental, "get_device_details", lambda gpu: {"device_name": "Some GPU"}),
    ):
        monkeypatch.setattr(owner, name, stand_in)
    return gpus, calls


def test_the_first_gpu_is_used_with_memory_that_grows(two_gpus):
    gpus, calls = two_gpus
    assert choose(gpu=True) == "GPU (Some GPU)"
    assert calls == [("visible", gpus[0], "GPU"), ("growth", gpus[0], True)]


def test_a_gpu_is_not_used_unless_requested(two_gpus):
    _, calls = two_gpus
    assert choose(gpu=False) == "CPU"
    assert calls == [("visible", [], "GPU")]


def test_silence_ends(capfd):
    with silenced():
        os.write(2, b"chatter")
    os.write(2, b"a word")
    assert capfd.readouterr().err == "a word"
