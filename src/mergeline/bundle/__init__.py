"""What a build hands over, evidence and model: read as hostile, every digest recomputed."""
