"""Settings as text: what differs from the defaults, and all of them."""

from collections.abc import Mapping
from typing import Any

import yaml


def differing(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that differ from their defaults, in their sections.

    Parameters
    ----------
    settings, defaults : mapping
        Nested plain mappings.
    """
    found: dict[str, Any] = {}
    for key, value in settings.items():
        default = defaults.get(key)
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            if inner := differing(value, default):
                found[key] = inner
        elif key not in defaults or value != default:
            found[key] = value
    return found


def as_yaml(settings: Mapping[str, Any]) -> str:
    """Return settings as YAML, in the given order; empty text for no settings."""
    return yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True, width=100) if settings else ""
