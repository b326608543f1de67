"""The page: one HTML file that needs nothing else."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hyper.report.sections import build_sections
from hyper.report.sources import Sources

TEMPLATES = Path(__file__).with_name("templates")


def render_page(sources: Sources) -> str:
    """Render the report of a study.

    Parameters
    ----------
    sources : Sources

    Returns
    -------
    str
        HTML with every image, style and script inside; labels and texts are escaped.

    Raises
    ------
    HyperError
        When a file is missing, broken or contradicts another.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections, absent = build_sections(sources)
    title = sources.settings.get("report", {}).get("title") or sources.study
    template = environment.get_template("page.html.j2")
    return template.render(
        title=title,
        study=sources.study,
        subjects=list(sources.subjects),
        sections=sections,
        absent=absent,
        versions=sources.versions,
        whole=sources.whole,
        partial=bool(sources.missing),
    )
