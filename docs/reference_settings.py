"""The page of settings, from the pydantic models."""

import json
import typing
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union

from annotated_types import Ge, Gt, Le, Len, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from reference_text import plain

from hyper.settings.root import Settings

SIGNS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}

HEAD = """\
# Settings

A study's file needs only what differs from the defaults below; unknown names are refused, with the nearest known one.
`config/config.yaml` has the same as one file of YAML, and `config/schema.json` lets an editor check and complete a
study's file. What a changed setting makes run again: [Running again](../running.md#what-runs-again).
"""


def settings_page() -> str:
    """A table for each section, with every setting below it by its full name."""
    parts = [HEAD]
    for name, field in Settings.model_fields.items():
        parts += [f"## {name}\n", f"{plain(field.description or '')}\n", table(field.annotation, name)]
        parts += [kind for model, path in variants(field.annotation, name) for kind in described(model, path)]
    return "\n".join(parts)


def described(model: type[BaseModel], path: str) -> list[str]:
    """Heading, meaning and table of a model that is one of several, or of which there may be none or many."""
    kind = model.model_fields.get("kind")
    title = f"`{path}`" + (f", kind `{kind.default}`" if kind is not None else "")
    return [f"### {title}\n", f"{plain(model.__doc__ or '')}\n", table(model, path)]


def table(model: type[BaseModel], path: str) -> str:
    """Rows of every setting of a model and of the models that always stand within it."""
    rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for name, annotation, field in leaves(model, path):
        default = "" if field.is_required() else value(field)
        meaning = plain(" ".join((field.description or "").split()))
        rows.append(f"| `{name}` | {type_text(annotation)}{bounds(field)} | {default} | {meaning} |")
    return "\n".join(rows) + "\n"


def leaves(model: type[BaseModel], path: str) -> list[tuple[str, Any, FieldInfo]]:
    """Settings by their full names."""
    found = []
    for name, field in model.model_fields.items():
        if is_model(field.annotation):
            found += leaves(field.annotation, f"{path}.{name}")
        else:
            found.append((f"{path}.{name}", field.annotation, field))
    return found


def variants(model: type[BaseModel], path: str) -> list[tuple[type[BaseModel], str]]:
    """Models named within unions, lists and mappings, with where they stand."""
    found: list[tuple[type[BaseModel], str]] = []
    for name, annotation, _ in leaves(model, path):
        for below, place in models_in(annotation, name):
            if below not in [known for known, _ in found]:
                found.append((below, place))
                found += [pair for pair in variants(below, place) if pair[0] not in [known for known, _ in found]]
    return found


def models_in(annotation: Any, path: str) -> list[tuple[type[BaseModel], str]]:
    """Models within an annotation; `<name>` stands for a key of a mapping, `[]` for an item of a list."""
    if is_model(annotation):
        return [(annotation, path)]
    origin, within = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return []
    if origin is dict:
        path, within = f"{path}.<name>", within[1:]
    elif origin in (list, tuple):
        path = f"{path}[]"
    return [pair for part in within for pair in models_in(part, path)]


def is_model(annotation: Any) -> bool:
    """Whether it is a section."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def type_text(annotation: Any) -> str:
    """A type in words."""
    origin, within = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is NoneType or annotation is None:
        return "null"
    if origin is Annotated:
        return type_text(within[0])
    if origin is Literal:
        return " \\| ".join(f"`{word}`" for word in within)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(type_text, within)))
    if origin is list:
        return f"list of {type_text(within[0])}"
    if origin is tuple:
        if len(set(within)) == 1:
            return f"{len(within)} × {type_text(within[0])}"
        return f"({', '.join(map(type_text, within))})" if Ellipsis not in within else f"list of {type_text(within[0])}"
    if origin is dict:
        return f"mapping of {type_text(within[0])} to {type_text(within[1])}"
    if is_model(annotation):
        return "a section"
    return {"str": "text", "int": "whole number", "float": "number", "bool": "`true` \\| `false`", "Path": "path"}.get(
        annotation.__name__, annotation.__name__
    )


def bounds(field: FieldInfo) -> str:
    """What pydantic checks of the value."""
    said = []
    for rule in field.metadata:
        if type(rule) in SIGNS:
            name, sign = SIGNS[type(rule)]
            said.append(f"{sign} {getattr(rule, name)}")
        elif isinstance(rule, (MinLen, Len)) and rule.min_length:
            said.append(f"at least {rule.min_length}")
        elif isinstance(rule, MaxLen):
            said.append(f"at most {rule.max_length}")
        elif getattr(rule, "pattern", None):
            said.append(f"as `{rule.pattern}`".replace("|", "\\|"))
    return f", {', '.join(said)}" if said else ""


def value(field: FieldInfo) -> str:
    """A default as it would stand in a study's file."""
    default = field.get_default(call_default_factory=True)
    if isinstance(default, BaseModel):
        return "as below"
    if isinstance(default, dict):
        default = {
            key: item.model_dump(mode="json", exclude_defaults=True, include=None) | {"kind": item.kind}
            if hasattr(item, "kind")
            else item.model_dump(mode="json") if isinstance(item, BaseModel) else item
            for key, item in default.items()
        }  # fmt: skip
    text = json.dumps(default, ensure_ascii=False, default=lambda item: item.model_dump(mode="json"))
    if isinstance(default, (dict, list, tuple)):
        text = text.replace('"', "")
    return f"`{text}`".replace("|", "\\|")
