"""The numbers that are reported of a run: the metrics, in words, and their better side."""

from dataclasses import dataclass

from reports.runs import Run


@dataclass(frozen=True)
class Quantity:
    """A metric of `reports.metrics`, with the words for more and for less of it."""

    name: str  # of `metrics.METRICS`
    words: str
    definition: str
    more: str = "higher"
    less: str = "lower"
    low_is_good: bool = False
    unit: str = "%"
    sampled: bool = False  # depends on the interval of the evaluations

    @property
    def scale(self) -> int:
        """The factor from the metric to the number that is shown."""
        return 100 if self.unit == "%" else 1

    @property
    def heading(self) -> str:
        """The words with the unit, for a column or an axis."""
        return f"{self.words}, {self.unit}" if self.unit == "%" else self.words

    def of(self, run: Run) -> float | None:
        """Returns the number that is shown of a run; None: does not apply."""
        value = run.summary["metrics"][self.name]
        return None if value is None else self.scale * value


MORE_OR_LESS = {"more": "more", "less": "less"}
FORGOTTEN = MORE_OR_LESS | {"low_is_good": True}
ALL = (
    Quantity("average_accuracy", "final average accuracy", "the mean over the tasks"),
    Quantity(
        "average_incremental_accuracy",
        "average incremental accuracy",
        "the mean over the turns of the mean over the tasks trained until then (Rebuffi et al. "
        "2017, arXiv 1611.07725)",
    ),
    Quantity(
        "forgetting",
        "forgetting",
        "the mean over the tasks but the last trained of the highest accuracy at the end of a turn "
        "before the last − final (Chaudhry et al. 2018, arXiv 1801.10112)",
        **FORGOTTEN,
    ),
    Quantity(
        "backward_transfer",
        "backward transfer",
        "the mean over the tasks but the last trained of final − the accuracy at the end of the "
        "first turn (Lopez-Paz and Ranzato 2017, arXiv 1706.08840)",
    ),
    Quantity(
        "forward_transfer",
        "forward transfer",
        "the mean over the tasks but the first of the accuracy before the first turn − that before "
        "training (Lopez-Paz and Ranzato 2017, arXiv 1706.08840)",
    ),
    Quantity(
        "learning_accuracy",
        "learning accuracy",
        "the mean over the turns of the trained task's accuracy at the end (Riemer et al. 2019, "
        "arXiv 1810.11910)",
    ),
    Quantity(
        "first_learning_accuracy",
        "first learning accuracy",
        "the same over the first turn of each task",
    ),
    Quantity(
        "min_accuracy",
        "lowest accuracy",
        "min-ACC, the mean over the tasks but the last trained of the lowest accuracy evaluated "
        "since the first turn (De Lange et al. 2023, arXiv 2205.13452)",
        sampled=True,
    ),
    Quantity(
        "worst_case_accuracy",
        "worst-case accuracy",
        "WC-ACC, which weighs min-ACC and the final accuracy of the last trained task (De Lange et "
        "al. 2023, arXiv 2205.13452)",
        sampled=True,
    ),
    Quantity(
        "forgetting_per_return",
        "forgetting per return",
        "the accuracy lost from the end of a task's turn until its next, the mean over the tasks "
        "at the last return",
        **FORGOTTEN,
    ),
    Quantity(
        "relearning_steps",
        "relearning steps",
        "the steps of a task's last return until it was back within a point, the mean over the "
        "tasks; at least the steps of a turn where it was not",
        **FORGOTTEN,
        unit="steps",
        sampled=True,
    ),
    Quantity(
        "relearned",
        "tasks relearned",
        "the share of the tasks that were back within a point in their last return",
        **MORE_OR_LESS,
        sampled=True,
    ),
    Quantity(
        "savings",
        "savings",
        "1 − the steps of the last return / those of the first turn to the same accuracy, the mean "
        "over the tasks that were back",
        **MORE_OR_LESS,
        sampled=True,
    ),
)
QUANTITIES = {quantity.name: quantity for quantity in ALL}
# Those that say most.
MAIN = tuple(map(QUANTITIES.get, ("average_accuracy", "forgetting", "forgetting_per_return")))
