"""VAE-GAN: faces as latents of an autoencoder that a discriminator judges."""

NAME, CEILING = "vaegan", "vaegan-model"
