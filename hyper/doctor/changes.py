"""What is different between the parameters that a file was made with and those it would be made with now."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

ABSENT = "(none)"


def changed_settings(
    recorded: Sequence[str], present: Mapping[str, Any], tree: Mapping[str, Any]
) -> dict[str, tuple[str, str]]:
    """Name the settings that differ, dotted, with the old value and the new one.

    Parameters
    ----------
    recorded : sequence of str
        Representations of the parameters of the last run, in no order and without names, as Snakemake keeps them.
    present : mapping
        Parameters as they are now, by name.
    tree : mapping
        All settings of the study as they are now: it tells which section a parameter is.

    Returns
    -------
    dict
        ``{"glm.confounds": ("['trans_x']", "[]")}``; a parameter that is no section goes by its own name.
    """
    known = set(recorded)
    new = {name: value for name, value in present.items() if repr(value) not in known}
    kept = {repr(value) for value in present.values()}
    old = [_value(text) for text in recorded if text not in kept]
    differences: dict[str, tuple[str, str]] = {}
    # mappings first: they tell by their keys which is which
    for name, value in sorted(new.items(), key=lambda item: not isinstance(item[1], Mapping)):
        before = _counterpart(value, old)
        place = _place(name, value, tree)
        for path, was, now in _differences(place, before, value):
            differences[path] = (was, now)
    for value in old:
        differences.setdefault("a parameter that is no more", (repr(value), ABSENT))
    return differences


def recorded_code(recorded: Sequence[str]) -> str | None:
    """The hash of the code among the recorded parameters."""
    values = [_value(text) for text in recorded]
    return next((value for value in values if is_code(value)), None)


def is_code(value: Any) -> bool:
    """Whether a parameter is a hash of code: 16 hexadecimal digits."""
    return isinstance(value, str) and len(value) == 16 and set(value) <= set("0123456789abcdef")


def _counterpart(value: Any, old: list[Any]) -> Any:
    """Take from `old` what the value replaces: the mapping with most keys in common, or the first of its type."""
    if isinstance(value, Mapping):
        alike = [one for one in old if isinstance(one, Mapping) and (set(one) & set(value) or not one)]
        best = max(alike, key=lambda one: len(set(one) & set(value)), default=None)
    else:
        best = next((one for one in old if type(one) is type(value)), old[0] if len(old) == 1 else None)
    if best is not None:
        old.remove(best)
    return best


def _differences(place: str, before: Any, now: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in {**before, **now}:
            yield from _differences(f"{place}.{key}", before.get(key, ABSENT), now.get(key, ABSENT))
    elif before != now:
        shown = [ABSENT if value is None and before is None else _shown(value) for value in (before, now)]
        yield place, shown[0], shown[1]


def _shown(value: Any) -> str:
    text = value if value == ABSENT else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _place(name: str, value: Any, tree: Mapping[str, Any]) -> str:
    """The dotted name of the section that a parameter is, or the parameter's own name."""
    places = [place for place, section in _sections(tree) if section == value]
    if not places and isinstance(value, Mapping):  # a part of a section, or a decoder without `subjects` and `files`
        places = [place for place, part in _sections(tree) if isinstance(part, Mapping) and _is_part(value, part)]
    own = [place for place in places if place.rpartition(".")[2] == name]
    if isinstance(value, Mapping) and places:
        return (own or places)[0]
    return own[0] if own else name


def _is_part(value: Mapping[str, Any], section: Mapping[str, Any]) -> bool:
    return bool(value) and all(key in section and section[key] == value[key] for key in value)


def _sections(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        place = f"{above}.{key}" if above else key
        yield place, value
        if isinstance(value, Mapping):
            yield from _sections(value, place)


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
