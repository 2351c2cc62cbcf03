"""What a reviewer must know before the numbers, as Git tells it: names of files, no contents."""

from collections.abc import Iterable, Iterator

from mergeline.adapters.git import Git
from mergeline.bundle.rejudge import is_like
from mergeline.config.problem import shown
from mergeline.core import layout
from mergeline.core.verdict import Banner
from mergeline.inputs.changed import changed_paths, is_workflow
from mergeline.inputs.digest import is_pin
from mergeline.inputs.settings import readable_settings_at

MAIN_MOVED = "main-moved"
_SHOWN = 3  # names in a banner, at most
_PIPELINE = (layout.PIPELINE, ".dvc/config")

_OWN_RUN = (
    "Its build ran by its own files, so that what it measured is that build's word; the status "
    "mergeline comes from those of {main}."
)

_AGAIN = "Before promotion a second build is made on main"
_REUSED = "promotion.build is reuse: for a branch of this repository nobody builds it again."


def banners(git: Git, head: str, base: str | None, main: str) -> tuple[Banner, ...]:
    """Return what Git alone says about a pull request.

    Args:
        git: Holds head and base.
        head: Of the pull request.
        base: The tip of main; None where there is none.
        main: What to call it.
    """
    if base is None:
        return ()
    began = git.merge_base(base, head)
    moved = began is not None and not is_like(git, began, base)
    said = [_main_moved(main)] if moved else []
    return (*said, *_steering(git, changed_paths(git, began, head), (head, base), main))


def other_base_banner(where: str) -> Banner:
    """Say that a build may have run by the workflows of another branch; see `other_base`."""
    return Banner(
        kind="other-base",
        text=f"{where}. A build takes its workflows from the branch that its pull request goes "
        "to, and GitHub does not tell of which pull request a build is: what was measured here "
        f"may be the word of that branch's workflows. {_AGAIN}, whatever promotion.build says, and "
        "only the same bytes pass.",
    )


def _main_moved(main: str) -> Banner:
    return Banner(
        kind=MAIN_MOVED,
        text=f"{main} has changed what a model is made from since this branch began. "
        "Merged now, both changes would make another model than the one reviewed here, and "
        f"nothing would be promoted (MOVED): merge {main} into the branch first.",
    )


def _steering(
    git: Git, paths: Iterable[str], sides: tuple[str, str], main: str
) -> Iterator[Banner]:
    """Say which of the files that steer a build are changed, and what that means."""
    paths = tuple(paths)
    workflows = [path for path in paths if is_workflow(path)]
    pins = [path for path in paths if is_pin(path) and not is_workflow(path)]
    pipeline = [path for path in paths if path in _PIPELINE]
    reused = _is_reused(git, sides)
    own = _OWN_RUN.format(main=main)
    if workflows:
        what = f"This pull request changes what GitHub runs: {_named(workflows)}."
        again = _REUSED if reused else f"{_AGAIN}, and only the same bytes pass."
        yield Banner(kind="workflows-changed", text=f"{what} {own} {again}")
    if pins:
        what = f"This pull request changes what is installed: {_named(pins)}."
        again = _REUSED if reused else f"{_AGAIN}, and compared."
        yield Banner(kind="requirements-changed", text=f"{what} {own} {again}")
    if pipeline:
        what = f"This pull request changes how a model is made: {_named(pipeline)}."
        then = "Read the commands and the addresses there: whoever builds it runs them."
        yield Banner(kind="pipeline-changed", text=f"{what} {own} {then}")


def _is_reused(git: Git, sides: tuple[str, str]) -> bool:
    """Return whether a promotion asks for no second build; the stricter of two policies counts."""
    known = [found for side in sides if (found := readable_settings_at(git, side))]
    return bool(known) and all(found.promotion.build == "reuse" for found in known)


def _named(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(shown(path) for path in paths[:_SHOWN]) + more
