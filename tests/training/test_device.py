"""The device that was requested. No test here has a GPU: its calls are checked on a stand-in."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import tensorflow as tf

from errors import RequestError
from settings import DeviceSettings
from tests.support.command import ROOT
from tests.support.problems import make_network
from training.device import choose_device, silenced


def test_the_cpu_is_used_by_default():
    assert choose_device(DeviceSettings(), progress_bars=False) == "CPU"
    assert tf.config.get_visible_devices("GPU") == []
    devices = {weight.value.device.rpartition("/")[2] for weight in make_network().trunk.weights}
    assert devices == {"device:CPU:0"}


def test_a_process_loads_tensorflow_with_the_threads_requested_and_without_delay(tmp_path):
    """Without Matplotlib, which can be loaded later, and without scanning TensorFlow's objects.

    The user's keras.json, which Keras would fail on, is neither read nor written.
    """
    settings = tmp_path / ".keras" / "keras.json"
    settings.parent.mkdir()
    settings.write_text('[{"floatx": 3}]')
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
        import keras.src.backend.config, matplotlib
        found |= {"weights": keras.src.backend.config.keras_home()}
        from tensorflow.config import threading
        found["intra"] = threading.get_intra_op_parallelism_threads()
        found["inter"] = threading.get_inter_op_parallelism_threads()
        print(json.dumps(found))
    """
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    collection = {"collected": True, "many frozen": True, "as many": True}
    found = {**collection, "pyplot": False, "intra": 3, "inter": 3}
    assert json.loads(done.stdout) == {**found, "weights": str(settings.parent)}
    assert settings.read_text() == '[{"floatx": 3}]'


def test_docstrings_that_keras_needs_are_missed_in_one_line(monkeypatch):
    monkeypatch.setattr(sys, "flags", SimpleNamespace(optimize=2))
    with pytest.raises(RequestError, match="PYTHONOPTIMIZE=2 and `python -OO` leave out"):
        choose_device(DeviceSettings(), progress_bars=False)


@pytest.mark.parametrize("gpu", [False, True])
def test_the_first_of_two_gpus_is_used_if_requested_with_memory_that_grows(gpu, monkeypatch):
    """Pretends that there are two, and records the calls that configure them."""
    gpus = [tf.config.PhysicalDevice(f"/physical_device:GPU:{n}", "GPU") for n in (0, 1)]
    calls, experimental = [], tf.config.experimental
    for owner, name, stand_in in (
        (tf.config, "list_physical_devices", lambda kind: gpus),
        (tf.config, "set_visible_devices", lambda *call: calls.append(("visible", *call))),
        (experimental, "set_memory_growth", lambda *call: calls.append(("growth", *call))),
        (experimental, "get_device_details", lambda gpu: {"device_name": "Some GPU"}),
    ):
        monkeypatch.setattr(owner, name, stand_in)
    device = choose_device(DeviceSettings(gpu=gpu), progress_bars=False)
    if gpu:
        assert device == "GPU (Some GPU)"
        assert calls == [("visible", gpus[0], "GPU"), ("growth", gpus[0], True)]
    else:
        assert device == "CPU"
        assert calls == [("visible", [], "GPU")]


def test_silence_ends(capfd):
    with silenced():
        os.write(2, b"chatter")
    os.write(2, b"a word")
    assert capfd.readouterr().err == "a word"
