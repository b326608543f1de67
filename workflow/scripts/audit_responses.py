"""Pass the responses on if no test trial is found in what decoders learn from (rule audit_responses)."""

from _rule import run  # isort: skip

import logging
import shutil

from hyper.dataset.stimuli import read_latents
from hyper.io.atomic import atomic_path
from hyper.io.seeds import derive_seed
from hyper.io.tables import write_json
from hyper.io.volumes import read_volume
from hyper.responses.audit import audit, demand, report
from hyper.responses.evidence import Evidence
from hyper.responses.region import read_region


def main(job):
    files, subject = job.input, job.wildcards.subject
    brain, affine = read_volume(files.brain)
    brain = brain > 0
    evidence = Evidence(
        responses=files.responses, mask=files.mask, score=files.score, selection=files.selection, maps=list(files.maps),
        tables=list(files.tables), trials=files.trials, brain=brain,
        region=read_region(files.region[0], brain, affine) if files.region else None,
        latents=read_latents(files.latents[0]), active=read_volume(files.mask)[0] > 0,
        scored=read_volume(files.score)[0],
    )  # fmt: skip
    seed = derive_seed(job.params.seed, "select_voxels", subject)
    checks = audit(evidence, job.params.cfg["voxels"], job.params.cfg["selection"], seed)
    for check in checks:
        logging.info("%s: %s (%d examined)", "holds" if not check.faults else "FAILS", check.question, check.examined)
        for fault in check.faults:
            logging.error("  %s", fault)
    demand(checks, files.responses)
    write_json(job.output.audit, report(checks, evidence, subject))
    with atomic_path(job.output.responses) as temporary:
        shutil.copyfile(files.responses, temporary)


if __name__ == "__main__":
    run(main)
