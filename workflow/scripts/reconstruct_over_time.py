"""Make the pictures of the latents decoded from each window (rule reconstruct_over_time)."""

from _rule import run  # isort: skip

from hyper.decoding.animation import write_animation, write_frames
from hyper.decoding.latents import rescale_latents
from hyper.decoding.over_time import of_regions
from hyper.generators.batches import images_uint8
from hyper.generators.cropped import Cropped
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.io.arrays import read_arrays


def main(job):
    arrays, _ = read_arrays(job.input.latents)
    shown = job.params.over_time["pictures"]
    generator = chosen_generator(job.params.cfg).to(choose_device(job.params.cfg["device"]))
    if job.params.cfg["size"]:
        generator = Cropped(generator, job.params.cfg["size"])
    stimuli = images_uint8(generator, arrays["true"][:shown])
    made = {
        region: faces_of(generator, values[:, :shown], job.params.rescale)
        for region, values in of_regions(arrays, "decoded").items()
    }
    windows = arrays["starts"], arrays["ends"]
    write_frames(job.output.images, stimuli, made, arrays["stimuli"][:shown], *windows)
    write_animation(job.output.animation, stimuli, made, *windows, job.params.over_time["milliseconds"])


def faces_of(generator, latents, rescale):
    made = images_uint8(generator, rescale_latents(latents.reshape(-1, latents.shape[2]), rescale))
    return made.reshape(*latents.shape[:2], *made.shape[1:])


if __name__ == "__main__":
    run(main)
