"""Whose approvals count: one set of rules, for what a merge would get and for what it gets."""
