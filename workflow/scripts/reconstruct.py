"""Make the images of true and decoded latents (rules reconstruct and reconstruct_trivially)."""

from _rule import run  # isort: skip

from hyper.decoding.latents import rescale_latents
from hyper.decoding.pictures import write_reconstructions
from hyper.generators.batches import images_uint8
from hyper.generators.cropped import Cropped
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.io.arrays import read_arrays


def main(job):
    generator = chosen_generator(job.params.cfg).to(choose_device(job.params.cfg["device"]))
    if job.params.cfg["size"]:
        generator = Cropped(generator, job.params.cfg["size"])
    stimulus = None
    for file, images, pngs in zip(job.input.latents, job.output.images, job.output.pngs, strict=True):
        latents, _ = read_arrays(file, ["true", "decoded", "stimuli"])
        if stimulus is None:  # all predictors of a subject see the same faces
            stimulus = images_uint8(generator, latents["true"])
        reconstruction = images_uint8(generator, rescale_latents(latents["decoded"], job.params.rescale))
        write_reconstructions(images, pngs, stimulus, reconstruction, latents["stimuli"])


if __name__ == "__main__":
    run(main)
