"""Decode the weights of eigenfaces, and pass the stimuli through the model (rule decode_eigenfaces)."""

from _rule import run  # isort: skip

from hyper.baselines.eigenface import Eigenfaces
from hyper.baselines.images import decode_faces, fit_face_decoder
from hyper.decoding.pictures import write_reconstructions
from hyper.generators.batches import images_uint8
from hyper.generators.cropped import Cropped
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.responses.matrices import Responses


def main(job):
    responses = Responses.load(job.input.responses)
    eigenfaces = Eigenfaces.load(job.input.eigenfaces)
    cfg = job.params.cfg
    generator = chosen_generator(cfg).to(choose_device(cfg["device"]))
    decoder = fit_face_decoder(eigenfaces, generator, responses)
    decoder.save(job.output.decoder)
    stimuli = images_uint8(Cropped(generator, cfg["size"]) if cfg["size"] else generator, responses.test_latents)
    decoded, passed = decode_faces(eigenfaces, decoder, responses, stimuli)
    write_reconstructions(job.output.images, job.output.pngs, stimuli, decoded, responses.test_stimuli)
    write_reconstructions(job.output.ceiling, job.output.ceiling_pngs, stimuli, passed, responses.test_stimuli)


if __name__ == "__main__":
    run(main)
