"""Python imports this by itself where the folder is on its path: a job stands still in the middle of its files.

Of the files that a job's outputs are made of, the one in the middle is left half written under its temporary name; the
job says so in a note in the folder HYPER_STANDSTILL, named by rule and process, and waits to be killed. Rules that
HYPER_SPARED names run on.
"""

import os
import signal
import sys
from pathlib import Path

_renamed = 0


def _stand_still(event, arguments):
    global _renamed
    if event != "os.rename":
        return
    job = vars(sys.modules["__main__"]).get("snakemake")
    if job is None or job.rule in os.environ.get("HYPER_SPARED", "").split():
        return
    source, target = (Path(os.fsdecode(name)).absolute() for name in arguments[:2])
    outputs = [Path(path).absolute() for path in job.output]
    if not any(map(target.is_relative_to, outputs)):
        return
    if _renamed < len(outputs) // 2:
        _renamed += 1
        return
    os.truncate(source, source.stat().st_size // 2)
    (Path(os.environ["HYPER_STANDSTILL"]) / f"{job.rule}.{os.getpid()}").write_text(str(source))
    while True:
        signal.pause()


if "HYPER_STANDSTILL" in os.environ:
    sys.addaudithook(_stand_still)
