"""What Git holds: branches, refs, commits, trees, files."""

import base64
import re

from mergeline.rehearsal.answers import Answer, Json, Refusal, not_found
from mergeline.rehearsal.calls import Call, Route, commit_of
from mergeline.rehearsal.pages import page, window
from mergeline.rehearsal.repository import NOTHING, Commit, Person
from mergeline.rehearsal.resources.differences import changes, show_change
from mergeline.rehearsal.resources.people import show_user, stamp
from mergeline.rehearsal.resources.repos import repo_page, repo_url

_UNSIGNED = {"verified": False, "reason": "unsigned", "signature": None, "payload": None}


def show_commit(call: Call, commit: Commit) -> Json:
    """Write a commit as lists of commits show it."""
    url = f"{repo_url(call, call.repo)}/commits/{commit.sha}"
    return {
        "sha": commit.sha,
        "node_id": f"C_{commit.sha}",
        "url": url,
        "html_url": f"{repo_page(call, call.repo)}/commit/{commit.sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "url": f"{repo_url(call, call.repo)}/git/commits/{commit.sha}",
            "author": _signature(commit.author),
            "committer": _signature(commit.committer),
            "message": commit.message,
            "tree": _tree_link(call, commit.tree),
            "comment_count": 0,
            "verification": _UNSIGNED | {"verified_at": None},
        },
        "author": _account(call, commit.author),
        "committer": _account(call, commit.committer),
        "parents": [_parent(call, sha, "commits") for sha in commit.parents],
    }


def show_commits(call: Call, shas: tuple[str, ...]) -> Answer:
    """Answer with a page of commits, read by one process."""
    read = {one.sha: one for one in call.repo.git.commits(window(call, shas))}

    def shown(call: Call, sha: str) -> Json:
        return show_commit(call, read[sha])

    return page(call, shas, shown)


def _signature(person: Person) -> Json:
    return {"name": person.name, "email": person.email, "date": stamp(person.date)}


def _account(call: Call, person: Person) -> Json | None:
    user = call.world.user_of(person.email)
    return None if user is None else show_user(call, user)


def _tree_link(call: Call, sha: str) -> Json:
    return {"sha": sha, "url": f"{repo_url(call, call.repo)}/git/trees/{sha}"}


def _parent(call: Call, sha: str, where: str) -> Json:
    html = f"{repo_page(call, call.repo)}/commit/{sha}"
    return {"sha": sha, "url": f"{repo_url(call, call.repo)}/{where}/{sha}", "html_url": html}


def _list_commits(call: Call) -> Answer:
    start = commit_of(call, call.query.get("sha", call.repo.default_branch))
    return show_commits(call, call.repo.git.history(start)[::-1])


def _get_commit(call: Call) -> Answer:
    git = call.repo.git
    commit = git.commit(commit_of(call, call.parameters["ref"]))
    files = changes(git, commit.parents[0] if commit.parents else None, commit.sha)
    added, deleted = sum(one.added for one in files), sum(one.deleted for one in files)
    stats = {"total": added + deleted, "additions": added, "deletions": deleted}
    shown = [show_change(call, commit.sha, one) for one in files[:300]]
    return Answer(200, show_commit(call, commit) | {"stats": stats, "files": shown})


def _get_git_commit(call: Call) -> Answer:
    sha = call.parameters["commit_sha"]
    if call.repo.git.kind(sha) != "commit":
        raise not_found()
    commit = call.repo.git.commit(sha)
    body = {
        "sha": commit.sha,
        "node_id": f"C_{commit.sha}",
        "url": f"{repo_url(call, call.repo)}/git/commits/{commit.sha}",
        "html_url": f"{repo_page(call, call.repo)}/commit/{commit.sha}",
        "author": _signature(commit.author),
        "committer": _signature(commit.committer),
        "message": commit.message,
        "tree": _tree_link(call, commit.tree),
        "parents": [_parent(call, sha, "git/commits") for sha in commit.parents],
        "verification": _UNSIGNED | {"verified_at": None},
    }
    return Answer(200, body)


def _get_tree(call: Call) -> Answer:
    git, name = call.repo.git, call.parameters["tree_sha"]
    commit = git.resolve(name)
    tree = git.tree(commit) if commit else name
    if git.kind(tree) != "tree":
        raise not_found()
    deep = ("-r", "-t") if call.query.get("recursive") else ()
    records = git.text("ls-tree", "-l", "-z", *deep, tree, strip=False).split("\0")
    entries = [_entry(call, record) for record in records if record]
    return Answer(200, _tree_link(call, tree) | {"tree": entries, "truncated": False})


def _entry(call: Call, record: str) -> Json:
    about, path = record.split("\t", 1)
    mode, kind, sha, size = about.split()
    entry: Json = {"path": path, "mode": mode, "type": kind, "sha": sha}
    if kind != "commit":
        entry["url"] = f"{repo_url(call, call.repo)}/git/{kind}s/{sha}"
    return entry | ({"size": int(size)} if kind == "blob" else {})


def _get_blob(call: Call) -> Answer:
    git, sha = call.repo.git, call.parameters["file_sha"]
    if git.kind(sha) != "blob":
        raise not_found()
    data = git.data("cat-file", "blob", sha)
    url = f"{repo_url(call, call.repo)}/git/blobs/{sha}"
    about = {"sha": sha, "node_id": f"B_{sha}", "size": len(data), "url": url}
    return Answer(200, about | {"content": base64.encodebytes(data).decode(), "encoding": "base64"})


def _show_ref(call: Call, ref: tuple[str, str]) -> Json:
    name, sha = ref
    kind = call.repo.git.kind(sha)
    where = f"{repo_url(call, call.repo)}/git/{kind}s/{sha}"
    url = f"{repo_url(call, call.repo)}/git/{name}"
    node, target = f"REF_{name}", {"sha": sha, "type": kind, "url": where}
    return {"ref": name, "node_id": node, "url": url, "object": target}


def _get_ref(call: Call) -> Answer:
    name = f"refs/{call.parameters['ref']}"
    sha = call.repo.git.refs(name).get(name)
    if sha is None:
        raise not_found()
    return Answer(200, _show_ref(call, (name, sha)))


def _matching_refs(call: Call) -> Answer:
    start = f"refs/{call.parameters['ref']}"
    refs = [ref for ref in call.repo.git.refs().items() if ref[0].startswith(start)]
    return Answer(200, [_show_ref(call, ref) for ref in refs])


def _create_ref(call: Call) -> Answer:
    git, name, sha = call.repo.git, call.text("ref"), call.text("sha")
    if not re.fullmatch("refs/[^/]+/.+", name):
        raise Refusal(422, "Reference name must start with 'refs' and have at least two slashes")
    if git.kind(sha) is None:
        raise Refusal(422, "Object does not exist")
    if not git.set_ref(name, sha, NOTHING):
        raise Refusal(422, "Reference already exists")
    return Answer(201, _show_ref(call, (name, sha)))


def _update_ref(call: Call) -> Answer:
    git, name, new = call.repo.git, f"refs/{call.parameters['ref']}", call.text("sha")
    old = git.refs(name).get(name)
    if old is None:
        raise Refusal(422, "Reference does not exist")
    if git.kind(new) is None:
        raise Refusal(422, "Object does not exist")
    if not call.flag("force") and not git.contains(new, old):
        raise Refusal(422, "Update is not a fast forward")
    if not git.set_ref(name, new, old):
        raise Refusal(409, "Reference cannot be updated")
    return Answer(200, _show_ref(call, (name, new)))


def _delete_ref(call: Call) -> Answer:
    name = f"refs/{call.parameters['ref']}"
    if name not in call.repo.git.refs(name):
        raise Refusal(422, "Reference does not exist")
    call.repo.git.set_ref(name, NOTHING)
    return Answer(204)


def _list_branches(call: Call) -> Answer:
    return page(call, list(call.repo.git.refs("refs/heads/").items()), _show_branch)


def _show_branch(call: Call, ref: tuple[str, str]) -> Json:
    name, sha = ref[0].removeprefix("refs/heads/"), ref[1]
    commit = {"sha": sha, "url": f"{repo_url(call, call.repo)}/commits/{sha}"}
    return {"name": name, "commit": commit, "protected": False}


def _get_branch(call: Call) -> Answer:
    git, name = call.repo.git, call.parameters["branch"]
    tip = git.tip(name)
    if tip is None:
        raise Refusal(404, "Branch not found")
    url = f"{repo_url(call, call.repo)}/branches/{name}"
    links = {"self": url, "html": f"{repo_page(call, call.repo)}/tree/{name}"}
    checks: Json = {"enforcement_level": "off", "contexts": [], "checks": []}
    protected = name in call.repo.setup.protections
    rules: Json = {"enabled": protected, "required_status_checks": checks}
    body: Json = {"name": name, "commit": show_commit(call, git.commit(tip)), "_links": links}
    body |= {"protected": protected, "protection": rules, "protection_url": f"{url}/protection"}
    return Answer(200, body)


_REPO = "/repos/{owner}/{repo}"
_GIT = f"{_REPO}/git"
ROUTES = (
    Route("GET", f"{_GIT}/ref/{{ref}}", _get_ref),
    Route("GET", f"{_GIT}/matching-refs/{{ref}}", _matching_refs),
    Route("POST", f"{_GIT}/refs", _create_ref, ("contents",)),
    Route("PATCH", f"{_GIT}/refs/{{ref}}", _update_ref, ("contents",)),
    Route("DELETE", f"{_GIT}/refs/{{ref}}", _delete_ref, ("contents",)),
    Route("GET", f"{_GIT}/commits/{{commit_sha}}", _get_git_commit),
    Route("GET", f"{_GIT}/trees/{{tree_sha}}", _get_tree),
    Route("GET", f"{_GIT}/blobs/{{file_sha}}", _get_blob),
    Route("GET", f"{_REPO}/branches", _list_branches),
    Route("GET", f"{_REPO}/branches/{{branch}}", _get_branch),
    Route("GET", f"{_REPO}/commits", _list_commits),
    Route("GET", f"{_REPO}/commits/{{ref}}", _get_commit),
)
