"""Pull requests of forks: what is one, and how a maintainer builds it with our credentials."""


def same_repository(stated: str | None, ours: str) -> bool:
    """Return whether two `owner/name` are one repository; `stated` is None of one that is gone."""
    return (stated or "").lower() == ours.lower()


def own_branch(number: int | str) -> str:
    """Return the name of the branch here that a fork's pull request is built on."""
    return f"from-fork/{number}"


def to_own_branch(number: int | str) -> str:
    """Return the command by which a maintainer who has read the change puts it there."""
    return (
        f"git fetch origin pull/{number}/head && "
        f"git push origin FETCH_HEAD:refs/heads/{own_branch(number)}"
    )
