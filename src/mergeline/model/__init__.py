"""From a table to a model directory, and from rows to probabilities."""
