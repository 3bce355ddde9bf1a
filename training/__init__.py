"""The one loop: trainer, compiled step and evaluation, the tasks' data on the device."""
