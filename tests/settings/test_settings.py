"""The contract of the settings: fields, flags, JSON, and what a resumed run may change."""

import json
from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from errors import RequestError
from settings import Settings, flag
from settings.parser import make_parser, parse_flags
from settings.running import Command
from settings.setting import REQUIRED, settings_of
from tests.support.command_lines import FLAGS, command_lines
from tests.support.fuzzing import cases

DECLARED = Settings.declared()
OLDER = {
    **{"schedule": "cycle", "task_weights": None, "joint_loss": None, "epochs": None},
    **{"image_size": 28, "standardize": False, "heads": "shared", "stitch_init": None},
    **{"weights": "none", "freeze_backbone": False, "precision": "float32", "l2": 0.0},
    **{"threads": None, "xla": False, "test_at_switches": False, "checkpoint_frequency": 1_000},
}


def in_json(value: object) -> object:
    """Returns a value as it is read back from a file of JSON."""
    return json.loads(json.dumps(value))


def test_every_setting_has_a_flag_and_help():
    actions = {action.dest: action for action in make_parser()._actions if action.dest != "help"}
    declared = DECLARED | settings_of(Command)
    assert list(actions) == list(declared)
    for name, facts in declared.items():
        assert actions[name].option_strings[0] == flag(name)
        assert facts.help.strip()


def test_a_name_is_declared_once():
    names = [name for section in vars(Settings()).values() for name in settings_of(section)]
    assert sorted(names) == sorted(DECLARED)


@pytest.mark.parametrize("name", DECLARED)
def test_a_default_is_a_value_of_its_setting(name):
    facts = DECLARED[name]
    default = list(facts.default) if isinstance(facts.default, tuple) else facts.default
    stored = in_json(default if name != "log_dir" else str(default))
    assert facts.from_json(stored) == facts.default
    unresolved = Settings().values()[name]
    assert unresolved == (None if facts.conditional else facts.default)


@cases(100)
@given(st.sampled_from(list(FLAGS)).flatmap(command_lines))
def test_settings_survive_json(arguments):
    try:
        values = parse_flags(arguments)
    except RequestError:  # two flags that contradict each other
        assume(False)
    settings = Settings().replace(**values)
    assert Settings.from_json(in_json(settings.to_json())) == settings


# Values as a file of JSON has them, separated by spaces.
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("tasks", 'null [] "dog" 5 {"dog":1} [5] [null] ["dog",true]'),
        ("network", 'null [] "fc" [["fc"]]'),
        ("schedule", 'null true 5 "often" "Cycle" "" ["cycle"]'),
        ("joint_loss", 'true 5 "product" "Sum" ["sum"]'),
        ("heads", '"both" true ["multi"]'),
        ("task_time", 'true 0 -1 1.0 "9" [9] 10000000001 NaN 1e999'),
        ("batch", "null true 0 1.5 100000001 {}"),
        ("seed", f'null false -1 0.0 "0" {2**63}'),
        ("filters", '5 "8" [0] [true] [8,null] [8.0] [[8]]'),
        ("learning_rate", f'true "0.1" [0.1] 0 -1 NaN 1e999 -Infinity 1e39 1{"0" * 400}'),
        ("l2", "null false -1e-9 NaN Infinity"),
        ("dropout", 'true 0 1.5 1e-17 NaN "0.5"'),
        ("task_weights", '1 [-1] [NaN] [1,1e999] [true] ["1"]'),
        ("stitch_init", '[] [1] [1,2,3] [1,"0"] [1,NaN] 1 "1,0"'),
        ("standardize", 'null 0 1 "true" [true]'),
        ("gpu", "null 0 []"),
        ("test_at_switches", '0 1 "yes"'),
        ("data_dir", "5 true {} [] [5]"),
        ("log_dir", 'null 5 false ["log"]'),
        ("weights", "null 5 true []"),
    ],
)
def test_a_wrong_value_is_refused_and_named(name, values):
    stored = Settings().to_json()
    for value in values.split(" "):
        with pytest.raises(ValueError, match=rf"^{name}: expected .+, got "):
            Settings.from_json(stored | {name: json.loads(value)})


def test_an_unknown_setting_is_refused_and_named():
    with pytest.raises(ValueError, match=r"^momentum: there is no such setting in this version$"):
        Settings.from_json(Settings().to_json() | {"momentum": 0.9})
    with pytest.raises(TypeError, match="there are no settings momentum"):
        Settings().replace(momentum=0.9)


@pytest.mark.parametrize("name", sorted(DECLARED.keys() - OLDER))
def test_a_missing_setting_is_refused_and_named(name):
    stored = Settings().to_json()
    del stored[name]
    with pytest.raises(ValueError, match=f"^{name} is missing$"):
        Settings.from_json(stored)


def test_older_configs_lack_some_settings():
    required = {name: value for name, value in Settings().to_json().items() if name not in OLDER}
    values = Settings.from_json(required).values()
    assert {name: values[name] for name in OLDER} == OLDER
    assert {name for name, facts in DECLARED.items() if facts.older is not REQUIRED} == set(OLDER)


@pytest.mark.parametrize(("schedule", "loss"), [("joint", "sum"), ("random", None)])
def test_older_runs_on_all_tasks_trained_on_the_sum_of_the_losses(schedule, loss):
    stored = Settings().to_json() | {"schedule": schedule}
    del stored["joint_loss"]
    assert Settings.from_json(stored).tasks.joint_loss == loss


def test_settings_are_frozen():
    settings = Settings()
    for section in fields(settings):
        part = getattr(settings, section.name)
        with pytest.raises(FrozenInstanceError):
            setattr(settings, section.name, part)
        for name, value in vars(part).items():
            hash(value)  # no list in it can be changed either
            with pytest.raises(FrozenInstanceError):
                setattr(part, name, value)
    assert settings.replace(seed=7, max_steps=5).values() == settings.values() | {
        "seed": 7,
        "max_steps": 5,
    }
    assert settings == Settings()


def test_what_a_resumed_run_may_change():
    resumable = {name for name, facts in DECLARED.items() if facts.resumable}
    assert resumable == {"max_steps", "epochs", "gpu", "threads", "quiet"}
