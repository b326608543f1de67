"""The last sections of the page: settings, versions and files."""

from typing import Any

from hyper.report.provenance import without_local_paths
from hyper.report.settings_text import as_yaml, differing
from hyper.report.sources import Sources


def settings_content(sources: Sources) -> dict[str, Any]:
    """Settings that differ from the defaults, all of them, and versions."""
    settings = without_local_paths(sources.settings) if sources.share else sources.settings
    changed = differing(settings, sources.defaults)
    return {"changed": as_yaml(changed), "all": as_yaml(settings), "versions": sources.versions}


def files_content(sources: Sources) -> dict[str, Any] | None:
    """Deliverables, by folder, each with its link and size."""
    if not sources.files or sources.share:
        return None
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for name in sorted(sources.name_of(path) for path in sources.files):
        size = _size((sources.folder / name).stat().st_size) if (sources.folder / name).exists() else ""
        groups.setdefault(name.partition("/")[0], []).append((name, f"../{name}", size))
    return {"groups": groups, "count": sum(map(len, groups.values()))}


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
