"""Which generator it is, whatever its file is called."""

import hashlib

from hyper.generators.base import Generator


def identity_of(generator: Generator) -> str:
    """SHA-256 of a generator's structure (latent size, layers) and weights."""
    digest = hashlib.sha256(str(generator.latent_dim).encode())
    for layer in generator.layers:
        digest.update(f"{layer.name}{tuple(layer.shape)}".encode())
    for weight in generator.parameters():
        values = weight.detach().float().cpu().contiguous()
        digest.update(str(tuple(values.shape)).encode())
        digest.update(values.numpy().tobytes())
    return digest.hexdigest()
