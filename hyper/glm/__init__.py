"""BOLD and trials -> one z-map per trial."""
