"""The settings of a run: each declared once, as a field of a frozen dataclass.

Flags, `config.json`, what `--resume` may change, how reports group runs and the manual's table
follow from these. Nothing here knows a task, a network or TensorFlow.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from settings.experiment import InputSettings, NetworkSettings, TaskSettings, TrainingSettings
from settings.running import DataSettings, DeviceSettings, LogSettings
from settings.setting import REQUIRED, Setting, settings_of

__all__ = [
    "DataSettings",
    "DeviceSettings",
    "InputSettings",
    "LogSettings",
    "NetworkSettings",
    "Setting",
    "Settings",
    "TaskSettings",
    "TrainingSettings",
    "flag",
]


@dataclass(frozen=True)
class Settings:
    """All settings of a run, by section."""

    tasks: TaskSettings = field(default_factory=TaskSettings)
    input: InputSettings = field(default_factory=InputSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    data: DataSettings = field(default_factory=DataSettings)
    device: DeviceSettings = field(default_factory=DeviceSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @classmethod
    @cache
    def declared(cls) -> dict[str, Setting]:
        """Returns every setting's facts by its name, in the order of the sections."""
        return {
            name: facts
            for section in dataclasses.fields(cls)
            for name, facts in settings_of(section.default_factory).items()
        }

    def values(self) -> dict[str, Any]:
        """Returns every setting's value by its name, in the order of the sections."""
        sections = (getattr(self, section.name) for section in dataclasses.fields(self))
        return {name: getattr(part, name) for part in sections for name in settings_of(part)}

    def replace(self, **values: object) -> "Settings":
        """Returns a copy with other values for the settings named."""
        sections = {}
        for section in dataclasses.fields(self):
            part = getattr(self, section.name)
            own = {name: values.pop(name) for name in settings_of(part) if name in values}
            sections[section.name] = dataclasses.replace(part, **own)
        if values:
            raise TypeError(f"there are no settings {', '.join(values)}")
        return Settings(**sections)

    def to_json(self) -> dict[str, Any]:
        """Returns the settings as a flat dict that JSON can hold."""
        return {name: plain(value) for name, value in self.values().items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> "Settings":
        """Reads settings that `to_json` made, in this version or an older one.

        Raises:
            ValueError: a setting is missing or unknown, or has a value that it cannot have.
        """
        declared = cls.declared()
        unknown = [name for name in stored if name not in declared]
        if unknown:
            raise ValueError(f"{unknown[0]}: there is no such setting in this version")
        values = {}
        for name, facts in declared.items():
            if name not in stored and facts.older is REQUIRED:
                raise ValueError(f"{name} is missing")
            try:
                values[name] = (
                    facts.from_json(stored[name]) if name in stored else facts.older_value(stored)
                )
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return cls().replace(**values)


def flag(name: str) -> str:
    """Returns the flag of the setting with that name."""
    return "--" + name.replace("_", "-")


def plain(value: object) -> object:
    """Returns a setting's value as JSON can hold it."""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value
