"""From responses to latents."""
