"""Decode the latents of a VAE-GAN, and pass the stimuli through it (rule decode_vaegan)."""

from _rule import run  # isort: skip

from hyper.baselines.images import decode_faces, fit_face_decoder
from hyper.baselines.vaegan.checkpoint import read_vaegan
from hyper.decoding.pictures import write_reconstructions
from hyper.generators.batches import images_uint8
from hyper.generators.cropped import Cropped
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.responses.matrices import Responses


def main(job):
    responses = Responses.load(job.input.responses)
    cfg = job.params.cfg
    device = choose_device(cfg["device"])
    generator = chosen_generator(cfg).to(device)
    model = read_vaegan(job.input.model, None if job.params.vaegan["any_generator"] else generator).to(device)
    decoder = fit_face_decoder(model, generator, responses)
    decoder.save(job.output.decoder)
    stimuli = images_uint8(Cropped(generator, cfg["size"]) if cfg["size"] else generator, responses.test_latents)
    decoded, passed = decode_faces(model, decoder, responses, stimuli)
    write_reconstructions(job.output.images, job.output.pngs, stimuli, decoded, responses.test_stimuli)
    write_reconstructions(job.output.ceiling, job.output.ceiling_pngs, stimuli, passed, responses.test_stimuli)


if __name__ == "__main__":
    run(main)
