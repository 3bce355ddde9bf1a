"""Files that are there whole or not at all."""

import json
import os
from pathlib import Path


def write_json(path: Path, value: dict) -> None:
    """Writes a JSON file, whole or not at all."""
    scratch = path.with_name(f".{path.name}")
    with scratch.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)
