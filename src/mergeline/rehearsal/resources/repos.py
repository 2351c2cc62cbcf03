"""The repository itself."""

from mergeline.rehearsal.answers import Answer, Json
from mergeline.rehearsal.calls import Call, Route
from mergeline.rehearsal.resources.people import show_roles, show_user, stamp
from mergeline.rehearsal.state import Repo

_ADDRESSES = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_FACTS: Json = {
    "description": None,
    "homepage": None,
    "language": "Python",
    "license": None,
    "mirror_url": None,
    "disabled": False,
    "is_template": False,
    "has_issues": True,
    "has_projects": False,
    "has_downloads": False,
    "has_wiki": False,
    "has_pages": False,
    "has_discussions": False,
    "allow_forking": True,
    "web_commit_signoff_required": False,
    "size": 0,
    "stargazers_count": 0,
    "watchers_count": 0,
    "watchers": 0,
    "topics": [],
}
_MERGES = {
    "allow_merge_commit": True,
    "allow_squash_merge": True,
    "allow_rebase_merge": True,
    "allow_auto_merge": False,
    "allow_update_branch": False,
    "delete_branch_on_merge": False,
    "merge_commit_title": "MERGE_MESSAGE",
    "merge_commit_message": "PR_TITLE",
    "squash_merge_commit_title": "PR_TITLE",
    "squash_merge_commit_message": "COMMIT_MESSAGES",
}


def repo_url(call: Call, repo: Repo) -> str:
    """Return a repository's address in the API."""
    return f"{call.api}/repos/{repo.full_name}"


def repo_page(call: Call, repo: Repo) -> str:
    """Return the address of a repository's page."""
    return f"{call.html}/{repo.full_name}"


def show_repo(call: Call, repo: Repo) -> Json:
    """Write a repository as other things name it."""
    url, html = repo_url(call, repo), repo_page(call, repo)
    forks = sum(one.parent is repo for one in call.world.repos.values())
    issues = sum(pull.state == "open" for pull in repo.pulls.values())
    at = stamp(repo.created)
    return {
        "id": repo.id,
        "node_id": f"R_{repo.id}",
        "name": repo.name,
        "full_name": repo.full_name,
        "owner": show_user(call, call.world.users[repo.owner]),
        "private": repo.private,
        "visibility": "private" if repo.private else "public",
        "fork": repo.parent is not None,
        "url": url,
        "html_url": html,
        "clone_url": f"{html}.git",
        "git_url": f"git:{html.split(':', 1)[1]}.git",
        "ssh_url": f"git@localhost:{repo.full_name}.git",
        "svn_url": html,
        **{name: url + rest for name, rest in _ADDRESSES.items()},
        **_FACTS,
        "archived": repo.setup.archived,
        "default_branch": repo.default_branch,
        "forks": forks,
        "forks_count": forks,
        "open_issues": issues,
        "open_issues_count": issues,
        "permissions": show_roles(call.world.role(repo, call.token.login)),
        **dict.fromkeys(("created_at", "updated_at", "pushed_at"), at),
    }


def _get_repo(call: Call) -> Answer:
    repo = call.repo
    body = show_repo(call, repo) | _MERGES | {"network_count": 0, "subscribers_count": 0}
    if repo.parent is not None:
        body["parent"] = body["source"] = show_repo(call, repo.parent)
    return Answer(200, body)


ROUTES = (Route("GET", "/repos/{owner}/{repo}", _get_repo),)
