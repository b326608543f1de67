"""Move one face along attributes and closed-form directions (rule edit_faces)."""

from _rule import run  # isort: skip

from hyper.evaluation.attributes import sets_of
from hyper.evaluation.boundary_files import read_boundaries
from hyper.evaluation.edits import edited_images, write_edits
from hyper.generators.device import choose_device
from hyper.generators.draw import origin_of
from hyper.generators.load import chosen_generator
from hyper.generators.sefa import closed_form_directions


def main(job):
    cfg, spec = job.params.cfg, job.params.generator["generator"]
    generator = chosen_generator(job.params.generator)
    size = generator.latent_dim
    boundaries = read_boundaries(job.input.boundaries, size, origin_of(spec)) if job.input.boundaries else None
    closed = closed_form_directions(generator, cfg["sefa"])[0] if cfg["sefa"] else None
    sets = [kind for kind in sets_of(boundaries, closed) if kind.kind != "conditional"]
    generator = generator.to(choose_device(job.params.generator["device"]))
    edits = [edited_images(generator, kind, cfg["reach"], cfg["steps"], job.params.seed) for kind in sets]
    write_edits(job.output.edits, sets, edits, cfg["reach"])


if __name__ == "__main__":
    run(main)
