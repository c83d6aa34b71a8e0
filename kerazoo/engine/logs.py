"""Logs as Keras gives them to callbacks."""

from typing import Any

from kerazoo.engine.types import Logs


def plain(logs: Logs | None) -> dict[str, Any]:
    """Convert logs to Python floats, sorted by name and flattened; values that are no numbers stay as they are."""
    result = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            result.update(plain(value))
            continue
        try:
            result[name] = float(value)
        except (TypeError, ValueError):
            result[name] = value
    return result
