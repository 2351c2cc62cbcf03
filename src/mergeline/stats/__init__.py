"""Estimates with their uncertainty: metrics, gaps, paired differences."""
