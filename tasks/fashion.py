"""The tasks on Fashion-MNIST: its ten classes, and three groups of them."""

from tasks.task import Task

SHOES, WOMENS, OTHER = range(3)
GROUPS = ("shoes", "women's", "other")
# The group of each of Fashion-MNIST's ten labels.
GROUP_OF = (OTHER, OTHER, OTHER, WOMENS, OTHER, SHOES, WOMENS, SHOES, WOMENS, SHOES)

TASKS = (
    Task("fashion", "fashion-mnist", "Fashion-MNIST's ten kinds of clothes"),
    Task(
        "fashion-group",
        "fashion-mnist",
        "the same images in three groups: shoes, women's, other",
        classes=len(GROUPS),
        labels=GROUP_OF,
        class_names=GROUPS,
    ),
)
