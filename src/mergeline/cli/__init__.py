"""The command line: one file per verb. Only here is anything printed."""

from mergeline.cli.app import main

__all__ = ["main"]
