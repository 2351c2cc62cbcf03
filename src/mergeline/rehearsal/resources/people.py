"""Accounts, and what they may do in a repository."""

from datetime import datetime

from mergeline.rehearsal.answers import Answer, Json, Refusal, not_found
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.pages import page
from mergeline.rehearsal.state import Repo, User

_ADDRESSES = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_ROLES = ("read", "triage", "write", "maintain", "admin")
_LEGACY = {"triage": "read", "maintain": "write"}  # what the old field says of newer roles


def stamp(time: datetime) -> str:
    """Return a time as GitHub writes it: `2026-01-31T12:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe_stamp(time: datetime | None) -> str | None:
    """Return a time as GitHub writes it; None for None."""
    return None if time is None else stamp(time)


def show_user(call: Call, user: User) -> Json:
    """Write an account in short."""
    url = f"{call.api}/users/{user.login}"
    return {
        "login": user.login,
        "id": user.id,
        "node_id": f"U_{user.id}",
        "avatar_url": f"{call.html}/avatars/{user.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{call.html}/{user.login}",
        **{name: url + rest for name, rest in _ADDRESSES.items()},
        "type": user.kind,
        "site_admin": False,
        "user_view_type": "public",
    }


def show_login(call: Call, login: str | None) -> Json | None:
    """Write an account in short; None for nobody, or an account that is gone."""
    user = None if login is None else call.world.find_user(login)
    return None if user is None else show_user(call, user)


def association(repo: Repo, login: str) -> str:
    """Return how GitHub calls somebody's part in a repository."""
    if login == repo.owner:
        return "OWNER"
    return "COLLABORATOR" if login in repo.collaborators else "NONE"


def may_administer(call: Call, scope: str = "administration") -> bool:
    """Return whether who asks may see what administrators set.

    A token with scopes sees what they name; who asks is an administrator besides.
    """
    token = call.token
    named = token.scopes is None or scope in token.scopes
    robot = token.login != call.repo.owner and call.user.kind == "Bot"
    is_admin = robot or call.world.role(call.repo, token.login) == "admin"
    return token.permission == "admin" and is_admin and named


def require_administrator(call: Call, scope: str = "administration") -> None:
    """Refuse, as GitHub does, who may not see what administrators set."""
    if may_administer(call, scope):
        return
    if call.user.kind == "Bot" or call.token.scopes is not None:
        raise Refusal(403, "Resource not accessible by integration")
    raise Refusal(403, "Must have admin rights to Repository.")


def show_roles(role: str) -> dict[str, bool]:
    """Write what a role may do, one truth value each."""
    names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain"}
    names |= {"admin": "admin"}
    rank = _ROLES.index(role) if role in _ROLES else -1
    return {name: rank >= _ROLES.index(least) for name, least in names.items()}


def _profile(call: Call, user: User) -> Json:
    nothing = dict.fromkeys(("company", "location", "hireable", "bio", "twitter_username"))
    zero = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    since = stamp(call.world.clock())
    about = {"name": user.name, "email": user.email, "blog": "", **nothing, **zero}
    return show_user(call, user) | about | {"created_at": since, "updated_at": since}


def _get_user(call: Call) -> Answer:
    user = call.world.find_user(call.parameters["username"])
    if user is None:
        raise not_found()
    return Answer(200, _profile(call, user))


def _get_me(call: Call) -> Answer:
    names = ("private_gists", "total_private_repos", "owned_private_repos", "disk_usage")
    private: Json = dict.fromkeys((*names, "collaborators"), 0)
    return Answer(200, _profile(call, call.user) | private | {"two_factor_authentication": True})


def _show_collaborator(call: Call, login: str) -> Json:
    role = call.world.role(call.repo, login)
    user = show_user(call, call.world.users[login])
    return user | {"permissions": show_roles(role), "role_name": role}


def _list_collaborators(call: Call) -> Answer:
    return page(call, sorted(call.repo.collaborators), _show_collaborator)


def _get_permission(call: Call) -> Answer:
    repo, user = call.repo, call.world.find_user(call.parameters["username"])
    if user is None:
        raise not_found()
    role = call.world.role(repo, user.login)
    shown = _show_collaborator(call, user.login)
    body = {"permission": _LEGACY.get(role, role), "role_name": role, "user": shown}
    return Answer(200, body)


_REPO = "/repos/{owner}/{repo}"
ROUTES = (
    Route("GET", "/user", _get_me),
    Route("GET", "/users/{username}", _get_user),
    Route("GET", f"{_REPO}/collaborators", _list_collaborators),
    Route("GET", f"{_REPO}/collaborators/{{username}}/permission", _get_permission),
)
