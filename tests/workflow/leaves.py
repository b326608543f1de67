"""Every setting by its dotted name, from the models; a decoder goes by its kind."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from hyper.settings.root import Settings


def leaves(model: type[BaseModel] = Settings, above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and field of every setting; a section that may be left out (null) counts as a setting too."""
    for name, field in model.model_fields.items():
        place = f"{above}{name}"
        sections = list(models_in(field.annotation))
        if not sections or get_origin(field.annotation) is list:
            yield place, field
            continue
        if type(None) in get_args(field.annotation):
            yield place, field
        for section in sections:
            kind = section.model_fields.get("kind")
            yield from leaves(section, f"{place}.{kind.default}." if kind else f"{place}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not list:
        for part in get_args(annotation):
            yield from models_in(part)
