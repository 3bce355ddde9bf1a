"""The benchmarks, at tiny size and only to see that they work: nothing here depends on time."""

import json
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest import approx

from benchmarks import growth, joint, measuring, run, throughput, timed_task
from benchmarks.timed_run import TimedRun
from benchmarks.timed_task import Moment, Stopwatch
from data import mnist
from settings import parse_flags

SPREAD = r"-?[\d,]+\.\d+ \(-?[\d,]+\.\d+ to -?[\d,]+\.\d+\)"


def check_about(output: str, result: dict, command: str) -> None:
    """Fails where it is not said on what, with what and how something was measured."""
    assert result["command"].startswith(command)
    assert result["command"] in output and result["date"] in output
    assert f"seed {result['seed']};" in output
    assert f"{result['hardware']['cores']} cores, {result['hardware']['memory']} GB" in output
    assert f"tensorflow {result['versions']['tensorflow']}" in output


def test_joint(tmp_path, capsys):
    file = tmp_path / "joint.json"
    arguments = ["--batch", "2", "--steps", "1", "--repeats", "2", "--json", str(file)]
    assert joint.main(arguments) == 0
    output, result = capsys.readouterr().out, json.loads(file.read_text())
    assert re.search(rf"^one task +{SPREAD} ms a step$", output, re.M)
    assert re.search(rf"^ten tasks +{SPREAD} ms a step$", output, re.M)
    assert re.search(rf"^ratio +{SPREAD}$", output, re.M)
    check_about(output, result, "python -m benchmarks.joint --batch 2")
    one, ten = (result["milliseconds_a_step"][name]["values"] for name in ("one task", "ten tasks"))
    assert result["ratio"]["values"] == approx([ten[0] / one[0], ten[1] / one[1]])


def test_throughput(data_dir, tmp_path, capsys, monkeypatch):
    from benchmarks import limit

    monkeypatch.setattr(limit, "ROWS", 8)
    monkeypatch.setattr(limit, "ARRAY", 16)
    file = tmp_path / "throughput.json"
    arguments = ["--steps", "1", "--repeats", "2", "--test-images", "7", "--bfloat16"]
    given = ["--data-dir", str(data_dir), "--batch", "2", "--filters", "8", "--json", str(file)]
    assert throughput.main([*arguments, *given]) == 0
    output, result = capsys.readouterr().out, json.loads(file.read_text())
    check_about(output, result, "python -m benchmarks.throughput --steps 1")
    assert (result["test_images"], result["batch"]) == (7, 2)
    own = ["float32", "bfloat16", "lrn", "no norm"]
    assert list(result["training"]["rows"]) == [*own, "Keras fit"]
    assert list(result["testing"]["rows"]) == [*own, *throughput.EVALUATE]
    check_comparison(result["training"], result["rates"])
    check_comparison(result["testing"], result["rates"])
    for name in (*own, *throughput.EVALUATE, "the limit, float32", "the limit, bfloat16"):
        assert re.search(rf"^{name} +{SPREAD}", output, re.M), name
    assert re.search(r"^matrix product, bfloat16 +\d+ \(\d+ to \d+\) GFLOP/s$", output, re.M)
    assert re.search(rf"^memory +{SPREAD} GB/s$", output, re.M)


def check_comparison(compared: dict, rates: dict) -> None:
    """Fails where a ratio is not that of the two times of the same turn."""
    reference = compared["rows"][compared["reference"]]["seconds"]["values"]
    for precision, size in (("float32", 4), ("bfloat16", 2)):
        row, limit = compared["rows"][precision], compared["limits"][precision]["values"]
        seconds = row["seconds"]["values"]
        assert row["times_keras"]["values"] == approx(
            [keras / own for keras, own in zip(reference, seconds, strict=True)]
        )
        assert row["of_limit"]["values"] == approx(
            [least / own for least, own in zip(limit, seconds, strict=True)]
        )
        assert limit == approx(
            [
                compared["operations"] / product + size * compared["values"] / memory
                for product, memory in zip(
                    rates[precision]["values"], rates["memory"]["values"], strict=True
                )
            ]
        )
    assert "times_keras" not in compared["rows"]["lrn"]


def test_a_keras_step_is_one_beyond_the_first():
    seconds = {"train float32": [6.0], "fit a step": [1.0], "fit": [9.0]}
    training = throughput.training_seconds(seconds, ["float32"], steps=4)
    assert training == {"float32": [1.5], "Keras fit": [2.0]}


def test_the_limit_by_hand():
    from benchmarks.limit import Work, testing_work, training_work

    settings = parse_flags(["--tasks", "id", "--batch", "100"])
    convolution, output = 2 * 100 * 28 * 28 * 64 * 75, 2 * 100 * 14 * 14 * 64 * 10
    values = 100 * 28 * 28 * 64
    assert training_work(settings) == Work(2 * convolution + 3 * output, 4 * values)
    assert testing_work(settings, 100) == Work(convolution + output, 2 * values)
    rates = {"float32": [10.0, 20.0], "bfloat16": [50.0, 50.0], "memory": [8.0, 4.0]}
    assert Work(100, 16).seconds(rates, "float32") == [10 + 8, 5 + 16]
    assert Work(100, 16).seconds(rates, "bfloat16") == [2 + 4, 2 + 8]


def test_measured_in_turn_and_once_before():
    calls = []
    measured = {name: lambda name=name: calls.append(name) for name in "ab"}
    seconds = measuring.in_turn(measured, repeats=2)
    assert calls == ["a", "b"] * 3
    assert {name: len(values) for name, values in seconds.items()} == {"a": 2, "b": 2}


def test_spreads_and_tables():
    assert measuring.spread([3.0, 1.0, 2.0]) == {
        "median": 2.0,
        "least": 1.0,
        "most": 3.0,
        "values": [3.0, 1.0, 2.0],
    }
    assert measuring.told([3000.0, 1.0, 2.0], 1) == "2.0 (1.0 to 3,000.0)"
    assert measuring.table([["", "x"], ["one", "2"], ["three", ""]]) == "       x\none    2\nthree"


def test_what_linux_tells_of_a_processor(monkeypatch):
    told = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu amx_bf16\n\nprocessor\t: 1\n"
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: told)
    hardware = measuring.hardware()
    assert (hardware["cpu"], hardware["bfloat16"]) == ("Some CPU", ["amx_bf16"])


@pytest.mark.parametrize(
    ("main", "arguments", "says"),
    [
        (throughput.main, ["--data-dir", "nowhere"], "--data-dir: there is no folder nowhere"),
        (run.main, ["--json", "file/run.json"], "--json: the folder file cannot be made"),
        (run.main, ["--dry-run"], "--list-tasks and --dry-run"),
        (growth.main, ["--norm", "lrn", "--network", "encoder"], "--norm lrn"),
    ],
)
def test_errors_are_one_line(main, arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.count("\n") == 1 and says in output.err


def test_each_moment_is_the_innermost_functions(monkeypatch):
    clock = SimpleNamespace(now=10.0)
    times = SimpleNamespace(time=lambda: clock.now, thread_time=lambda: 2 * clock.now)
    monkeypatch.setattr(timed_task, "time", times)

    class Log:
        def write(self):
            clock.now += 1

    class Loop:
        def train(self, start, end, seen):
            clock.now += end - start

        def report(self):
            clock.now += 2
            log.write()
            clock.now += 3

    log, loop, watch = Log(), Loop(), Stopwatch(since=9.0)
    watch.wrap_all(Log, "logging")
    watch.wrap(Loop, "report", "display")
    watch.wrap_loop(Loop, "train", "training", lambda start, end, seen: end - start)
    for call in (lambda: loop.train(0, 2, 0), loop.report, lambda: loop.train(2, 7, 0)):
        call()
    thread = threading.Thread(target=log.write)
    thread.start()
    thread.join()
    watch.turn_to("end")
    told = [(m.part, m.begin, m.end, m.steps) for m in watch.moments if m.seconds]
    assert told == [
        ("program", 9.0, 10.0, 0),
        ("first training", 10.0, 12.0, 2),
        ("display", 12.0, 14.0, 0),
        ("logging", 14.0, 15.0, 0),
        ("display", 15.0, 18.0, 0),
        ("training", 18.0, 23.0, 5),
        ("program", 23.0, 24.0, 0),
    ]
    assert watch.aside == [Moment("logging", 23.0, 25.0)]
    assert all(bool(moment.memory) == bool(moment.steps) for moment in watch.moments)


def moments(*entries: tuple) -> list[Moment]:
    """Moments one after another from 0 on: part, seconds, and training steps if any."""
    made, begin = [], 0.0
    for part, seconds, *steps in entries:
        made.append(Moment(part, begin, begin + seconds, *steps, *([1_000_000] if steps else [])))
        begin += seconds
    return made


def test_parts_of_a_run_by_hand():
    made = moments(
        *[("program", 1), ("tensorflow", 3), ("data", 1), ("first testing", 2)],
        *[("first training", 7, 10), ("training", 4, 10), ("testing", 2)],
        *[("first training", 6, 10), ("training", 6, 10), ("logging", 1), ("saving", 2)],
    )
    aside = [Moment("display", 3, 4), Moment("display", 11, 11.5), Moment("logging", 12, 13.5)]
    parts = run.parts_of(TimedRun(0.0, 37.0, made, aside, peak_memory=900_000_000))
    # The pace is 0.5 seconds a step, the median of 0.4 and 0.6.
    assert (parts["start_up_compiling"], parts["compiling"]) == (2.0, 1.0)
    assert (parts["start_up"], parts["after"]) == (9.0, 28.0)
    assert (parts["start_up_tensorflow"], parts["start_up_testing"]) == (3.0, 2.0)
    assert (parts["training"], parts["testing"], parts["end"]) == (5 + 4 + 6 + 6, 2.0, 2.0)
    assert parts["other_percent"] == approx(100 * (1 + 2 + 2) / 28)
    assert (parts["redrawing"], parts["writing"]) == (0.5, 1.5)
    assert parts["with_threads_percent"] == approx(100 * (1 + 2 + 2 + 2) / 28)
    assert (parts["peak_memory"], parts["whole"]) == (900.0, 37.0)


def test_run(data_dir, tmp_path, capsys):
    file = tmp_path / "run.json"
    tiny = ["--max-steps", "4", "--task-time", "2", "--batch", "2", "--filters", "1"]
    given = ["--data-dir", str(data_dir), "--repeats", "1", "--seed", "3", "--json", str(file)]
    assert run.main([*tiny, *given]) == 0
    output, result = capsys.readouterr().out, json.loads(file.read_text())
    check_about(output, result, "python -m benchmarks.run --max-steps 4")
    assert result["seed"] == 3
    assert all(re.search(rf"^{label} +{SPREAD}$", output, re.M) for label in run.ROWS.values())
    parts = {name: values["median"] for name, values in result["parts"].items()}
    assert parts.keys() == run.ROWS.keys()
    start_up = [seconds for name, seconds in parts.items() if name.startswith("start_up_")]
    assert sum(start_up) == approx(parts["start_up"], abs=1e-3)
    after = ("training", "testing", "logging", "display", "saving", "program", "end")
    assert sum(parts[name] for name in after) == approx(parts["after"], abs=1e-3)
    assert parts["start_up"] + parts["after"] == approx(parts["whole"])
    for name in ("training", "testing", "logging", "display", "saving", "peak_memory", "help"):
        assert parts[name] > 0, name


def test_what_a_timed_run_says_of_its_data_is_told(tmp_path, capsys):
    assert run.main(["--data-dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("benchmarks.run: error: MNIST not found")


def test_parts_of_a_long_run_by_hand():
    made = moments(
        *[("program", 9), ("first training", 5, 10), ("training", 2, 10), ("testing", 1)],
        *[("training", 1, 5), ("training", 3, 10), ("training", 1, 5)],
    )
    rows = growth.parts_of(TimedRun(0.0, 30.0, made, [], 0), steps=40, parts=2)
    assert [row["at"] for row in rows] == [20, 40]
    assert [row["step"]["values"] for row in rows] == [[200.0], [200.0, 300.0, 200.0]]
    assert [row["loop"] for row in rows] == [7000 / 20, 6000 / 20]
    assert [row["memory"] for row in rows] == [1.0, 1.0]


def test_growth(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(growth, "WHOLE", (40, 20))
    file = tmp_path / "growth.json"
    none = ["--task-counts", "--test-images", "--image-sizes", "--batches"]
    assert growth.main(["--steps", "4", "--parts", "2", *none, "--json", str(file)]) == 0
    output, result = capsys.readouterr().out, json.loads(file.read_text())
    check_about(output, result, "python -m benchmarks.growth --steps 4")
    assert [row["at"] for row in result["steps"]] == [2, 4]
    assert all(row["memory"] > 0 for row in result["steps"])
    assert re.search(rf"^4 +{SPREAD} +\d+\.\d\d +\d+$", output, re.M)
    assert result["batches"] == [] and "examples in a step" not in output


def test_the_points_of_growth(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where its JSON goes
    ran = []

    def pretend(flags):
        settings = parse_flags(flags)
        data = mnist.find(mnist.MNIST, settings.data_dir).read()
        ran.append((settings, len(data.train.labels), len(data.test.labels)))
        made = moments(("first training", 2, 1), ("training", 1, 1), ("testing", 5))
        return TimedRun(0.0, 8.0, made, [], peak_memory=700_000_000)

    monkeypatch.setattr(growth, "timed_run", pretend)
    monkeypatch.setattr(growth, "WHOLE", (40, 20))
    monkeypatch.setattr(growth, "FEW", (30, 10))
    points = ["--task-counts", "2", "7", "--test-images", "25", "--image-sizes", "9"]
    given = ["--steps", "2", "--parts", "1", *points, "--batches", "3", "--seed", "4"]
    assert growth.main(given) == 0
    output = capsys.readouterr().out
    assert [sizes for _, *sizes in ran] == [[40, 20]] * 3 + [[30, 25]] + [[30, 10]] * 2
    long, two, seven, _, small, few = (settings for settings, *_ in ran)
    assert all(settings.seed == 4 for settings, *_ in ran)
    assert (long.network, long.max_steps, few.network) == (["fc"], 2, ["conv", "fc"])
    assert (two.tasks, len(set(seven.tasks))) == (["id", "ref"], 7)
    assert (small.image_size, small.batch, few.image_size, few.batch) == (9, 100, 28, 3)
    for at in (2, 7, 25, 9, 3):
        row = f"{at} +1,000.00 (1,000.00 to 1,000.00) +5,000.00 (5,000.00 to 5,000.00) +700"
        assert re.search(row.replace("(", r"\(").replace(")", r"\)"), output), at
