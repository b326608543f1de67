"""Write versions, settings, seed and checksums (rule write_provenance)."""

from _rule import run  # isort: skip

from pathlib import Path

from hyper.report.provenance import expand_folders, without_local_paths, write_provenance


def main(job):
    settings, sources = job.params.settings, job.params.sources
    if settings["report"]["share"]:
        settings, sources = without_local_paths(settings), [Path(source).name for source in sources]
    files = expand_folders(job.input)
    study = settings["study"]
    write_provenance(job.output.provenance, files, study["name"], study["seed"], settings, sources)


if __name__ == "__main__":
    run(main)
