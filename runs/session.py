"""A run as a session of TensorBoard's HParams."""

import tensorflow as tf
from tensorboard.plugins.hparams import api_pb2, summary, summary_v2

from settings import Settings


def hyperparameters(settings: Settings) -> dict[str, bool | int | float | str]:
    """Returns the settings that affect results, but the seed, in the types that HParams takes.

    Those that do not apply are left out; several values are one, in a string.
    """
    declared = Settings.declared()
    return {
        name: " ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in settings.to_json().items()
        if declared[name].affects_results and name != "seed" and value is not None
    }


def write_start(settings: Settings) -> None:
    """Writes the settings to the default writer; runs of equal ones share a row in HParams."""
    write(summary_v2.hparams_pb(hyperparameters(settings)))


def write_success() -> None:
    """Writes to the default writer that the run has ended."""
    write(summary.session_end_pb(api_pb2.STATUS_SUCCESS))


def write(message: summary_v2.summary_pb2.Summary) -> None:
    """Writes a summary to the default writer."""
    tf.summary.experimental.write_raw_pb(message.SerializeToString(), step=0)
