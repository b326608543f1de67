"""Take the checksums of what the study leaves behind (rule sum_files)."""

from _rule import run  # isort: skip

from pathlib import Path

from hyper.report.checksums import sum_files, write_checksums


def main(job):
    write_checksums(job.output.checksums, sum_files(job.input, Path(job.output.checksums).parent))


if __name__ == "__main__":
    run(main)
