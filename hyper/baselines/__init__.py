"""What the decoders must beat."""
