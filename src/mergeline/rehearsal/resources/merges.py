"""Merging a pull request."""

from mergeline.rehearsal.answers import Answer, Refusal, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.merging import METHODS, merge
from mergeline.rehearsal.required import missing_approvals, missing_statuses
from mergeline.rehearsal.resources.pulls import pull_of


def _merge(call: Call) -> Answer:
    pull = pull_of(call)
    method = call.choice("merge_method", METHODS, "merge")
    wanted = call.optional("sha")
    if wanted is not None and wanted != pull.head_sha:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    if pull.draft:
        raise Refusal(405, "Pull Request is still a draft")
    if pull.state != "open" or not pull.mergeable:
        raise Refusal(405, "Pull Request is not mergeable")
    missing = missing_statuses(call.repo, pull)
    if missing:
        expected = ", ".join(f'"{context}"' for context in missing)
        raise Refusal(405, f"Required status check {expected} is not successful.")
    lacking = missing_approvals(call.repo, pull)
    if lacking:
        reviews = "review is" if lacking == 1 else "reviews are"
        message = f"At least {lacking} approving {reviews} required by reviewers with write access."
        raise Refusal(405, message)
    commit = merge(
        call.world,
        call.repo,
        pull,
        method=method,
        login=call.token.login,
        title=call.optional("commit_title"),
        message=call.optional("commit_message"),
    )
    if commit is None and method == "rebase":
        raise Refusal(405, "This branch can't be rebased")
    if commit is None:
        raise Refusal(405, "Base branch was modified. Review and try the merge again.")
    body = {"sha": commit, "merged": True, "message": "Pull Request successfully merged"}
    return Answer(200, body)


def _is_merged(call: Call) -> Answer:
    if pull_of(call).merged is None:
        raise not_found()
    return Answer(204)


_MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge"
ROUTES = (
    Route("GET", _MERGE, _is_merged),
    Route("PUT", _MERGE, _merge, ("contents",)),
)
