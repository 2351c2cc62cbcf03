"""Pull requests of forks: what is one, and how a maintainer builds it with our credentials."""


def same_repository(stated: str | None, ours: str) -> bool:
    """Return whether two `owner/name` are one repository; `stated` is None of one that is gone."""
    return (stated or "").lower() == ours.lower()
