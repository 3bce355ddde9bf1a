"""A setting: a field of a frozen dataclass, with its flag, its kind and what it is for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from settings.values import Kind

REQUIRED = object()


@dataclass(frozen=True)
class Setting:
    """The facts of a setting that are not its name or type; the field's metadata."""

    kind: Kind  # of each value, where it has several
    help: str
    default: object
    nargs: int | str | None = None  # as argparse has it; None: one value
    metavars: tuple[str, ...] | None = None  # in --help, where the values have names of their own
    # The default holds only where the setting applies, which other settings decide. Until they
    # have, a setting that was not given is None; afterwards None means "does not apply".
    conditional: bool = False
    resumable: bool = False  # may change when a run is resumed
    affects_results: bool = True  # runs that differ in another setting can be averaged
    multitask: bool = False  # means nothing where there is a single task
    self_explanatory: bool = False  # the value alone says what it is, as "adam" does
    # What runs did that were made before there was this setting, or a function that returns it
    # from their other settings, as JSON.
    older: object = REQUIRED

    @property
    def optional(self) -> bool:
        """Tells whether the value may be None."""
        return self.conditional or self.default is None

    def older_value(self, stored: Mapping[str, object]) -> Any:
        """Returns the value of a run whose stored settings lack this one."""
        return self.older(stored) if callable(self.older) else self.older

    def from_json(self, value: object) -> Any:
        """Reads the setting's value from JSON: a tuple where it has several.

        Raises:
            ValueError: the value is not one that the setting can have.
        """
        if value is None and self.optional:
            return None
        if self.nargs is None:
            return self.kind.from_json(value)
        count = self.nargs if isinstance(self.nargs, int) else None
        if (
            not isinstance(value, list)
            or count not in (None, len(value))
            or not (value or self.optional)  # filters are empty in a network without conv
        ):
            raise ValueError(f"expected a list of {self.kind.expected}, got {value!r:.60}")
        return tuple(self.kind.from_json(item) for item in value)


def setting(default: object, kind: Kind, help: str, **facts: object) -> Any:
    """Declares a setting as a dataclass field; `facts` are the other fields of `Setting`."""
    declared = Setting(kind, help, default, **facts)
    value = None if declared.conditional else default
    return field(default=value, metadata={"setting": declared})


def settings_of(section: Any) -> dict[str, Setting]:
    """Returns the settings of a section (a dataclass or an instance), by name, in order."""
    return {each.name: each.metadata["setting"] for each in fields(section)}


def default_of(section: Any, name: str) -> Any:
    """Returns the default of a setting, which holds where the setting applies."""
    return settings_of(section)[name].default
