"""A network with its tasks, and the loops that are compiled for them."""

import numpy as np
import pytest

from data.dataset import Split
from tests.support.problems import make_problem, set_output, weights_of


def test_every_task_is_compiled_once_for_chunks_of_any_length_however_often_tasks_switch():
    problem = make_problem(tasks=("id", "inv"), filters=(2,), batch=4)
    loops = set()
    for start, end, task in ((0, 1, 0), (1, 4, 1), (4, 6, 0), (6, 7, 1), (7, 8, 0)):
        loops.add(loop := problem.loop_for((task,)))
        loop.train(start, end, 4 * start)
        problem.evaluate(lambda: False)
    assert len(loops) == len(problem.evaluations) == 2
    for compiled in (
        *(loop._train for loop in loops),
        *(evaluation._evaluate for evaluation in problem.evaluations),
    ):
        assert compiled.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"network": ("fc",)}, {"trunk", "head"}),
        ({"heads": "multi", "filters": (2,)}, {"trunk", "head_id", "head_cifar10_cat"}),
        ({"network": ("cross-stitch",)}, {"trunk", "head_id", "head_cifar10_cat"}),
    ],
)
def test_the_graph_names_the_networks_parts(given, parts):
    tasks = ("id", "inv") if given == {"network": ("fc",)} else ("id", "cifar10:cat")
    graph = make_problem(tasks=tasks, **given).graph()
    scopes = {node.name.partition("/")[0] for node in graph.node if "/" in node.name}
    assert parts <= scopes
    assert not [scope for scope in scopes if "sequential" in scope or "functional" in scope]
    names = {node.name for node in graph.node}
    inputs = {name.lstrip("^").partition(":")[0] for node in graph.node for name in node.input}
    assert inputs <= names


def test_tasks_are_evaluated_in_their_order():
    problem = make_problem(tasks=("id", "inv", "id"), heads="multi", network=("fc",))
    set_output(problem.network)
    for head, bias in zip(problem.network.heads, (1, 9, 81), strict=True):
        head.layers[-1].bias.assign(np.log([1, 1, 1, bias, 1, 1, 1, 1, 1, 1]))
    losses = [tally.loss for tally in problem.evaluate(lambda: False)]
    assert losses == pytest.approx([np.log((bias + 9) / bias) for bias in (1, 9, 81)])


@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [
        ({"filters": (3,), "tasks": ("id", "cifar10")}, 0.01),
        ({"filters": (3,), "norm": "lrn", "schedule": "joint", "l2": 0.01}, 0.01),
        # On the same images, since a second pass takes as long again to compile.
        ({"network": ("encoder",), "tasks": ("id", "id"), "batch": 10}, 0.01),
        ({"network": ("cross-stitch",), "tasks": ("id", "id"), "batch": 10}, 0.01),
        ({"filters": (3,), "norm": "none", "precision": "bfloat16"}, 0.2),
    ],
)
def test_xla_trains_as_well(settings, tolerance):
    """A step of both tasks moves each of the weights by as much as without it."""
    settings = {"tasks": ("id", "inv"), "heads": "multi", "learning_rate": 0.001, **settings}
    plain, compiled = (make_problem(xla=xla, **settings) for xla in (False, True))
    before = weights_of(plain.network)
    for problem in (plain, compiled):
        problem.loop_for((0, 1)).train(0, 1, 0)
    after, with_xla = weights_of(plain.network), weights_of(compiled.network)
    for start, one, other in zip(before, after, with_xla, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6 + tolerance * abs(one - start).max())
    loop = compiled.loop_for((0, 1))
    for start, end in ((1, 2), (2, 5)):  # chunks of any length
        loop.train(start, end, 100 * start)
    assert loop.update.experimental_get_tracing_count() == 1
    graph = loop._train.get_concrete_function().graph.as_graph_def()
    assert "_XlaMustCompile" in str(graph)


def test_a_step_of_many_heads_repeats_itself_to_the_last_bit():
    """The gradients of ten heads are added in one order, though they are computed in any."""
    kinds = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship")
    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (64, 32, 32, 3), dtype=np.uint8)
    split = Split(images, draws.integers(0, 10, 64).astype(np.int32))
    found = set()
    for _ in range(3):
        problem = make_problem(
            make=lambda count: split,
            tasks=(*(f"cifar10:{kind}" for kind in kinds), "cifar10:truck"),
            schedule="joint",
            network=("encoder",),
            image_size=32,
            batch=16,
        )
        problem.loop_for(tuple(range(10))).train(0, 1, 0)
        found.add(b"".join(weights.tobytes() for weights in weights_of(problem.network)))
    assert len(found) == 1
