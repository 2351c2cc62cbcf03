"""The pull request: reproduce, baseline, compare, judge."""
