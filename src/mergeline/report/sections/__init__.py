"""The parts of the comment: each from a plan to Markdown, none knows another."""
