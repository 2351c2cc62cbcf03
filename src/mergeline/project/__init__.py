"""A project's own beginnings: what it needs on a machine, its pipeline, the demo."""
