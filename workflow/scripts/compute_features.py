"""Compute a feature of all stimuli, once for the study (rule compute_features)."""

from _rule import run  # isort: skip

import logging

from hyper.encoding.features import features_of_file, features_of_images, features_of_latents, write_features
from hyper.encoding.names import feature
from hyper.encoding.stimuli import gather_stimuli, images_of_folder, images_of_generator
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator


def main(job):
    name, held = job.wildcards.feature, job.params.held
    chosen = feature(name, [name] if held else [])
    stimuli = gather_stimuli(job.input.responses)
    device = choose_device(job.params.device)
    generator = chosen_generator(job.params.generator).to(device) if job.params.generator else None
    if chosen.source == "file":
        blocks = features_of_file(job.input.weights[0], stimuli)
    elif chosen.source == "latents":
        blocks = features_of_latents(chosen, stimuli.latents, generator)
    else:
        if job.input.images:
            images = images_of_folder(job.input.images[0], stimuli.names)
        else:
            images = images_of_generator(generator, stimuli.latents)
        blocks = features_of_images(chosen, images, next(iter(job.input.weights), None), device)
    count, width = write_features(job.output.features, blocks, stimuli, feature=name)
    logging.info("%s: %d features of %d stimuli", name, width, count)


if __name__ == "__main__":
    run(main)
