"""Make the images of true and decoded latents (rule reconstruct)."""

from _rule import run  # isort: skip

from hyper.decoding.latents import rescale_latents
from hyper.decoding.pictures import write_reconstructions
from hyper.generators.batches import images_uint8
from hyper.generators.cropped import Cropped
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.io.arrays import read_arrays


def main(job):
    latents, _ = read_arrays(job.input.latents, ["true", "decoded", "stimuli"])
    generator = chosen_generator(job.params.cfg).to(choose_device(job.params.cfg["device"]))
    if job.params.cfg["size"]:
        generator = Cropped(generator, job.params.cfg["size"])
    stimulus = images_uint8(generator, latents["true"])
    reconstruction = images_uint8(generator, rescale_latents(latents["decoded"], job.params.rescale))
    write_reconstructions(job.output.images, job.output.pngs, stimulus, reconstruction, latents["stimuli"])


if __name__ == "__main__":
    run(main)
