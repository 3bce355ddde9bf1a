"""The pictures of a run: examples of its tasks, and their confusion matrices."""

from networks.channels import lay_channels
from runs.drawing import draw_confusion, draw_examples
from runs.log import RunLog
from settings import InputSettings
from training.problem import Problem

EXAMPLES = 16
# Tasks with pictures. Omniglot has 50 alphabets.
MAX_TASKS = 50


def log_examples(problem: Problem, images: InputSettings, log: RunLog) -> None:
    """Logs training examples of each task, as the network sees them, with their labels."""
    for data in problem.task_data[:MAX_TASKS]:
        pixels, places = data.feed.examples(EXAMPLES)
        seen = lay_channels(pixels, images.input_style).numpy()
        names = [data.classes[label] for label in data.train_labels.numpy()[places]]
        curve = f"train_{log.curves[data.index]}"
        log.picture(curve, 0, "pictures/examples", draw_examples, seen, names, images.standardize)


def log_confusions(problem: Problem, step: int, log: RunLog) -> None:
    """Logs each task's confusion matrix of the last evaluation."""
    for index, counts in list(problem.confusions().items())[:MAX_TASKS]:
        curve, classes = f"test_{log.curves[index]}", problem.task_data[index].classes
        log.picture(curve, step, "pictures/confusion", draw_confusion, counts, classes)
