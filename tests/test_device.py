"""The device that is asked for. No test here has a GPU: its calls are checked on a stand-in."""

import os

import pytest
import tensorflow as tf

from device import choose_device, silenced
from errors import RequestError
from flags import parse_flags
from model import build_network


def test_everything_is_on_the_cpu_unless_asked():
    assert choose_device(gpu=False) == "CPU"
    assert tf.config.get_visible_devices("GPU") == []
    network = build_network(parse_flags([]), [10])
    assert {weight.value.device.rpartition("/")[2] for weight in network.trunk.weights} == {
        "device:CPU:0"
    }


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
