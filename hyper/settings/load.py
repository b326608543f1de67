"""Read a configuration, check it, and explain what is wrong with it."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from hyper.errors import SettingsError
from hyper.settings.root import Settings


def load_settings(config: Mapping[str, Any], source: str = "configuration") -> Settings:
    """Validate a configuration that overlays the defaults.

    Parameters
    ----------
    config : mapping
        Any subset of the settings.
    source : str
        Name of the file, for messages.

    Raises
    ------
    SettingsError
        On an unknown key (with the nearest known one), a wrong type or a contradiction; every fault is listed.
    """
    try:
        return Settings.model_validate(dict(config))
    except ValidationError as fault:
        lines = [_explain(error) for error in fault.errors()]
        raise SettingsError(
            source, "; ".join(lines), "Correct the file; config/config.yaml lists every setting"
        ) from None


def read_config(paths: list[Path]) -> dict[str, Any]:
    """Read YAML files and overlay them in order, as Snakemake's ``--configfile`` does."""
    merged: dict[str, Any] = {}
    for path in paths:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError:
            raise SettingsError(path, "the file does not exist", "Correct the path") from None
        except (yaml.YAMLError, UnicodeDecodeError) as fault:
            raise SettingsError(path, f"it is not valid YAML ({fault})", "Correct the file") from None
        if not isinstance(content, dict):
            raise SettingsError(path, "it holds no mapping of settings", "Write `section:` and settings below it")
        merged = overlay(merged, content)
    return merged


def overlay(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `top` laid over it, section by section."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = overlay(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def _explain(error: Mapping[str, Any]) -> str:
    place = [str(part) for part in error["loc"]]
    name = ".".join(place)
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], _known_keys(place[:-1]), n=1, cutoff=0.5)
        hint = f", did you mean {'.'.join([*place[:-1], near[0]])!r}?" if near else ""
        return f"there is no setting {name!r}{hint}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}: {message} (given: {error['input']!r})" if name else message


def _known_keys(place: list[str]) -> list[str]:
    """Names of the settings of the section at `place`."""
    model: Any = Settings
    for part in place:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            break
        model = field.annotation
    return _keys_of(model)


def _keys_of(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return list(annotation.model_fields)
    return [key for part in get_args(annotation) for key in _keys_of(part)]
