"""Mergeline: from pull request to production model."""

__version__ = "0.1.0"
