"""Make images on the way from decoded to true latents (rule interpolate)."""

from _rule import run  # isort: skip

from hyper.decoding.interpolation import interpolate
from hyper.decoding.latents import rescale_latents
from hyper.decoding.pictures import write_interpolations
from hyper.generators.batches import images_uint8
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.io.arrays import read_arrays


def main(job):
    steps, most = job.params.interpolation["steps"], job.params.interpolation["stimuli"]
    latents, _ = read_arrays(job.input.latents, ["true", "decoded", "stimuli"], most)
    decoded = rescale_latents(latents["decoded"], job.params.rescale)
    paths = interpolate(decoded, latents["true"], steps)
    generator = chosen_generator(job.params.cfg).to(choose_device(job.params.cfg["device"]))
    images = images_uint8(generator, paths.reshape(-1, paths.shape[-1]))
    write_interpolations(job.output.images, images.reshape(len(paths), steps, *images.shape[1:]), latents["stimuli"])


if __name__ == "__main__":
    run(main)
