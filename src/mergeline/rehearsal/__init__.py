"""A local stand-in for GitHub: to rehearse the line on one machine, and the only fake in tests.

One process on the loopback interface answers the part of GitHub's REST API that
Mergeline, CML and workflows use, with `/api/v3` before the path or without. Commits,
merges and pull request refs are real: Git makes them in a bare repository on disk, which
is any clone's remote. Everything else lives in memory and ends with the process.

    with Rehearsal.start(folder, tls=True) as rehearsal:
        rehearsal.add_user("ann", "Ann", "ann@example.org", "write")
        rehearsal.add_user("bob", permission="maintain")
        push_main_and_topic(rehearsal.remote)  # with Git, from any clone
        number = rehearsal.open_pull("topic", login="ann")
        rehearsal.approve(number, "bob")
        commit = rehearsal.merge(number, "squash", login="bob")
        run = rehearsal.add_run(commit, event="push", artifacts={"model": {"a.txt": b"1"}})
        client = Github(base_url=rehearsal.api_url, auth=Auth.Token(rehearsal.token("bob")))
        assert client.get_repo(rehearsal.name).get_pull(number).merged
        assert client.get_repo(rehearsal.name).get_workflow_run(run).head_sha == commit
        rehearsal.fault("POST", "*/issues/*/comments", "close", after=True)  # done, not told
        assert [(one.method, one.path) for one in rehearsal.writes] == []

Addresses: `url` and `api_url` (HTTP), `tls_url` with `ca_file` (TLS; CML wants it),
`remote` (a folder) and `clone_url` (Git over HTTP, with the same tokens).

People: `add_user`, `remove_user`, `token`, `add_fork`, `remove_fork`, `open_pull`,
`close_pull`, `approve`, `request_changes`, `dismiss`, `comment`, `merge`, `queue`,
`merge_queued`; workflows and administrators: `add_run`, `expire`, `add_ruleset`,
`add_environment`. They act past the API: nothing of it is in `writes`, no permission is
asked, no fault strikes. Look at `pull(number)` and the records in `repo` for what came of it.

Tokens: one with permission `read` gets GitHub's 403 for every write, one with `scopes` for
every write outside of them; none or an unknown one gets 401. A private repository is 404
for who is no collaborator.

Faults (`fault`, or `POST /_rehearsal/faults`): see `faults.Fault`. `writes` and `requests`
say what was asked, `done` whether it was carried out.

The map: `running` starts it; `server` reads requests, lets faults strike and sends;
`api` finds who asks and the route; `resources/` has one file per resource, `merging`,
`queueing`, `opening` and `watching` what happens to pull requests, `repository` all of Git, `state`
and `world` what is known.

What administrators set (Actions, names of secrets, classic protection) is in `repo.setup`,
and is shown to administrators only.

What it does otherwise than GitHub: `mergeable` is known at once; no workflow starts by
itself; of rulesets only required statuses and the number of approvals are enforced;
environments are shown, not enforced; nothing is rate limited unless a fault says so.
"""

from mergeline.rehearsal.running import Rehearsal

__all__ = ["Rehearsal"]
