"""A BIDS dataset with known truth, in the form of OpenNeuro ds004280."""
