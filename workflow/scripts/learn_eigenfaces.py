"""Find the principal components of faces (rule learn_eigenfaces)."""

from _rule import run  # isort: skip

from hyper.baselines.eigenface import Eigenfaces, faces_to_learn
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.responses.matrices import Responses


def main(job):
    wanted = job.params.cfg
    generator = chosen_generator(job.params.generator).to(choose_device(job.params.generator["device"]))
    latents = Responses.load(job.input.responses).train_latents
    faces = faces_to_learn(generator, latents, wanted["images"], wanted["size"], job.params.seed)
    Eigenfaces.learn(faces, wanted["components"]).save(job.output.eigenfaces)


if __name__ == "__main__":
    run(main)
