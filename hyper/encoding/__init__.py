"""From features of the stimuli to responses: encoding models."""
