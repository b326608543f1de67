"""What a study would do and what is wrong with its data, before anything is computed."""
