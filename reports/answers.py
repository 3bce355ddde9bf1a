"""Answers: for each setting that was varied, the paired differences in words."""

import math
from collections.abc import Sequence
from statistics import fmean

from reports.groups import differing, identity, in_words, name_in_words, value_in_words
from reports.quantities import MAIN, Quantity
from reports.questions import Question
from reports.runs import Run
from reports.statistics import interval

# A run on the old value, and the run on the new one that is compared with it.
Pair = tuple[Run, Run]
NOTE = (
    "each difference is between finished runs that are equal in the seed and in the other "
    "settings: the mean over the seeds of each seed's mean, with its 95 % interval over the seeds "
    "(Student's t); within the noise: the interval holds 0"
)


def answers_to(questions: Sequence[Question], quantities: Sequence[Quantity] = MAIN) -> list[str]:
    """Returns the printable sentences that answer the questions, in their order."""
    return [words for question in questions for words in answer(question, quantities)]


def answer(question: Question, quantities: Sequence[Quantity]) -> list[str]:
    """Returns a printable sentence for each two values that are compared."""
    found = {values: question.pairs(*values) for values in question.comparisons()}
    if not any(found.values()):
        name = name_in_words(question.name)
        return [
            f"{name}: not compared, as no two finished runs have equal seeds and differ in the "
            f"{name} alone" + " with the same tasks in another order" * (question.name == "tasks")
        ]
    return [sentence(question.name, values, pairs, quantities) for values, pairs in found.items()]


def sentence(
    name: str,
    values: tuple[object, object],
    pairs: Sequence[Pair],
    quantities: Sequence[Quantity],
) -> str:
    """Returns the differences of quantities between two values of a setting, in words."""
    old, new = values
    change = f"{in_words(name, new)} in place of {value_in_words(old)}"
    if not pairs:
        return f"{change}: not compared, as no two finished runs have equal seeds"
    change = ", and with it ".join([change, *consequences(name, pairs)])
    seeds = len({run.seed for run, _ in pairs})
    findings = [
        f"{quantity.words} {difference_in_words(quantity, differences)}"
        for quantity in quantities
        if (differences := differences_in(quantity, pairs))
    ]
    count = f"{len(pairs)} pair{'s' * (len(pairs) > 1)} of runs with equal seeds"
    if seeds == 1:
        count += ", all of one seed, which tells nothing of the noise"
    elif seeds < len(pairs):
        count += f", {seeds} seeds"
    return f"{change}: {'; '.join([*findings, count])}"


def consequences(name: str, pairs: Sequence[Pair]) -> list[str]:
    """Returns, in words, the other settings that differ in pairs; an empty list where none does."""
    facts = [(identity(old), identity(new)) for old, new in pairs]
    words = []
    for other in dict.fromkeys(each for both in facts for each in differing(both)):
        values = {(old.get(other), new.get(other)) for old, new in facts}
        if other != name and len(values) == 1:
            ((old, new),) = values
            words.append(f"{in_words(other, new)} in place of {value_in_words(old)}")
        elif other != name:
            words.append(f"other values of {name_in_words(other)}")
    return [", ".join(words)] if words else []


def differences_in(quantity: Quantity, pairs: Sequence[Pair]) -> list[float]:
    """Returns each seed's mean of new − old, where the quantity applies.

    Pairs of one seed, at other values of further settings, are not independent of each other.
    """
    by_seed: dict[int, list[float]] = {}
    for pair in pairs:
        old, new = map(quantity.of, pair)
        if old is not None and new is not None:
            by_seed.setdefault(pair[0].seed, []).append(new - old)
    # Equal means of unequal accuracies may differ in the last bit.
    return [round(fmean(differences), 9) for differences in by_seed.values()]


def difference_in_words(quantity: Quantity, differences: Sequence[float]) -> str:
    """Returns the mean of the seeds' differences in words, with its interval if there is one."""
    if not any(differences):
        return "the same"
    mean, *ends = interval(differences)
    unit = "points" if quantity.unit == "%" else quantity.unit
    size = f"{points(abs(mean))} {unit} {quantity.less if mean < 0 else quantity.more}"
    if len(differences) == 1:
        return size
    low, high = sorted(-end if mean < 0 else end for end in ends)  # of more, or of less
    bounds = f"95 % interval {points(low)} to {points(high)}"
    return f"within the noise ({size}, {bounds})" if low <= 0 <= high else f"{size} ({bounds})"


def points(number: float) -> str:
    """Returns a number with one decimal, or as many as show that it is not 0."""
    decimals = max(1, -math.floor(math.log10(abs(number)))) if number else 1
    return f"{number:.{decimals}f}"
