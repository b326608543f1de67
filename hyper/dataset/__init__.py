"""BIDS folder -> runs, trials, stimuli and latents, and what is wrong with them."""
