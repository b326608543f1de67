"""How good the reconstructions are."""
