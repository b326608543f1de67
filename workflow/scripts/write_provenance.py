"""Write versions, settings, seed and checksums (rule write_provenance)."""

from _rule import run  # isort: skip

from pathlib import Path

from hyper.report.checksums import read_checksums, sum_files
from hyper.report.provenance import without_local_paths, write_provenance


def main(job):
    settings, sources = job.params.settings, job.params.sources
    if settings["report"]["share"]:
        settings, sources = without_local_paths(settings), [Path(source).name for source in sources]
    sums = read_checksums(job.input.checksums) | sum_files(job.input, Path(job.output.provenance).parent)
    study = settings["study"]
    write_provenance(job.output.provenance, sums, study["name"], study["seed"], settings, sources)


if __name__ == "__main__":
    run(main)
