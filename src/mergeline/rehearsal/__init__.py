"""A local stand-in for GitHub: to rehearse the line on one machine, and the only fake in tests."""

from mergeline.rehearsal.running import Rehearsal

__all__ = ["Rehearsal"]
