"""Write the study's page (rule write_report)."""

from _rule import run  # isort: skip

import logging
from pathlib import Path

from hyper.io.atomic import write_text
from hyper.report.checksums import deliverables_of, read_checksums
from hyper.report.gather import gather_sources
from hyper.report.page import render_page
from hyper.settings.root import default_tree


def main(job):
    folder = Path(job.output.page).parents[1]
    kept = deliverables_of(folder / name for name in read_checksums(job.input.checksums[0]))
    files = dict(job.input.items()) | {"files": kept}
    page = render_page(gather_sources(files, dict(job.params.items()), folder, default_tree()))
    write_text(job.output.page, page)
    logging.info("%s: %.1f MB", job.output.page, len(page) / 1e6)


if __name__ == "__main__":
    run(main)
