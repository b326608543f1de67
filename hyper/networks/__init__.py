"""Networks that look at images, with weights that the user supplies: for metrics, and as features of stimuli."""
