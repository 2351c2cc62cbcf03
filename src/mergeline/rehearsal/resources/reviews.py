"""Reviews of a pull request."""

from mergeline.rehearsal.answers import Answer, Json, Refusal, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.resources.people import association, show_login, stamp
from mergeline.rehearsal.resources.pulls import pull_of
from mergeline.rehearsal.resources.repos import repo_page, repo_url
from mergeline.rehearsal.state import Pull, Review
from mergeline.rehearsal.world import World

EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def add_review(
    world: World, pull: Pull, *, login: str, event: str | None, body: str, commit: str | None = None
) -> Review:
    """Review a pull request.

    Args:
        world: For the time and the id.
        pull: What is reviewed; changed.
        login: Who reviews.
        event: `APPROVE`, `REQUEST_CHANGES` or `COMMENT`; None leaves it pending.
        body: What is said.
        commit: What was looked at; the head unless given.

    Raises:
        Refusal: It is one's own, or nothing is said where GitHub wants words.
    """
    if login == pull.login and event in ("APPROVE", "REQUEST_CHANGES"):
        verb = "approve" if event == "APPROVE" else "request changes on"
        message = f"Can not {verb} your own pull request"
        raise Refusal(422, "Unprocessable Entity", [f"Review {message}"])
    if event in ("REQUEST_CHANGES", "COMMENT") and not body:
        raise Refusal(422, "Unprocessable Entity", ["Could not comment pull request review."])
    state = "PENDING" if event is None else EVENTS[event]
    at = None if event is None else world.clock()
    review = Review(world.next_id(), login, state, body, commit or pull.head_sha, at)
    pull.reviews.append(review)
    pull.updated = world.clock()
    return review


def dismiss_review(review: Review) -> None:
    """Dismiss a review.

    Raises:
        Refusal: It is neither an approval nor a wish for changes.
    """
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        message = f"Can not dismiss a {review.state.lower()} pull request review"
        raise Refusal(422, "Unprocessable Entity", [message])
    review.state = "DISMISSED"


def _show(call: Call, pull: Pull, review: Review) -> Json:
    html = f"{repo_page(call, call.repo)}/pull/{pull.number}#pullrequestreview-{review.id}"
    url = f"{repo_url(call, call.repo)}/pulls/{pull.number}"
    body = {
        "id": review.id,
        "node_id": f"PRR_{review.id}",
        "user": show_login(call, review.login),
        "body": review.body,
        "state": review.state,
        "html_url": html,
        "pull_request_url": url,
        "author_association": association(call.repo, review.login),
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "commit_id": review.commit,
    }
    return body | ({"submitted_at": stamp(review.submitted)} if review.submitted else {})


def _list(call: Call) -> Answer:
    pull = pull_of(call)

    def shown(call: Call, review: Review) -> Json:
        return _show(call, pull, review)

    # Others do not see what somebody has not sent yet.
    seen = [one for one in pull.reviews if one.state != "PENDING" or one.login == call.token.login]
    return page(call, seen, shown)


def _review_of(call: Call, pull: Pull) -> Review:
    number = call.number("review_id")
    found = next((one for one in pull.reviews if one.id == number), None)
    if found is None:
        raise not_found()
    return found


def _get(call: Call) -> Answer:
    pull = pull_of(call)
    return Answer(200, _show(call, pull, _review_of(call, pull)))


def _create(call: Call) -> Answer:
    pull = pull_of(call)
    event = call.choice("event", tuple(EVENTS)) if call.body.get("event") else None
    review = add_review(
        call.world,
        pull,
        login=call.token.login,
        event=event,
        body=call.text("body", ""),
        commit=call.optional("commit_id"),
    )
    return Answer(200, _show(call, pull, review))


def _submit(call: Call) -> Answer:
    pull = pull_of(call)
    review = _review_of(call, pull)
    event = call.choice("event", tuple(EVENTS))
    if review.state != "PENDING":
        raise Refusal(422, "Unprocessable Entity", ["Review has already been submitted"])
    pull.reviews.remove(review)
    body = call.text("body", review.body)
    sent = add_review(
        call.world, pull, login=review.login, event=event, body=body, commit=review.commit
    )
    sent.id = review.id
    return Answer(200, _show(call, pull, sent))


def _dismiss(call: Call) -> Answer:
    pull = pull_of(call)
    review = _review_of(call, pull)
    call.text("message")
    dismiss_review(review)
    return Answer(200, _show(call, pull, review))


_REVIEWS = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"
_SCOPES = ("pull_requests",)
ROUTES = (
    Route("GET", _REVIEWS, _list),
    Route("POST", _REVIEWS, _create, _SCOPES),
    Route("GET", f"{_REVIEWS}/{{review_id}}", _get),
    Route("POST", f"{_REVIEWS}/{{review_id}}/events", _submit, _SCOPES),
    Route("PUT", f"{_REVIEWS}/{{review_id}}/dismissals", _dismiss, _SCOPES),
)
