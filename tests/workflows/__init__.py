"""The workflows, executed."""
