"""What workflows leave and administrators set: runs, artifacts, rulesets, environments."""

import base64
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mergeline.rehearsal.actors import People
from mergeline.rehearsal.state import Artifact, Environment, Ruleset, Run


class Automation(People):
    """The people of a repository, its workflows and its administrators."""

    def add_run(
        self,
        head_sha: str,
        *,
        event: str = "pull_request",
        head_branch: str | None = None,
        head_repository: str | None = None,
        status: str = "completed",
        conclusion: str | None = "success",
        login: str | None = None,
        name: str = "mergeline",
        path: str = ".github/workflows/mergeline.yml",
        artifacts: Mapping[str, bytes | Mapping[str, bytes]] | None = None,
    ) -> int:
        """Make a workflow run and return its id.

        Args:
            head_sha: What it ran on.
            event: `pull_request`, `push`, ...
            head_branch: Its branch.
            head_repository: `OWNER/NAME`; the main one unless given.
            status: `queued`, `in_progress` or `completed`.
            conclusion: `success`, `failure`, ...
            login: Who started it; the owner unless given.
            name: The workflow's name.
            path: The workflow's file.
            artifacts: Zip files by name; a mapping is zipped.
        """
        with self.world.lock:
            at = self.world.clock()
            kept = [
                Artifact(self.world.next_id(), key, _zip(value), at)
                for key, value in (artifacts or {}).items()
            ]
            run = Run(
                id=self.world.next_id(),
                number=len(self.repo.runs) + 1,
                head_sha=head_sha,
                head_branch=head_branch,
                head_repo=head_repository or self.name,
                event=event,
                status=status,
                conclusion=conclusion if status == "completed" else None,
                login=login or self.repo.owner,
                name=name,
                path=path,
                created=at,
                updated=at,
                artifacts=kept,
            )
            self.repo.runs[run.id] = run
            return run.id

    def upload(self, run: int, name: str, data: bytes | Mapping[str, bytes]) -> int:
        """Keep an artifact of a run, in place of one of that name, and return its id."""
        with self.world.lock:
            made = Artifact(self.world.next_id(), name, _zip(data), self.world.clock())
            kept = self.repo.runs[run].artifacts
            kept[:] = [*(one for one in kept if one.name != name), made]
            return made.id

    def begin_run(self, run: int) -> None:
        """Let a run that was queued begin."""
        with self.world.lock:
            begun = self.repo.runs[run]
            begun.status, begun.updated = "in_progress", self.world.clock()

    def end_run(self, run: int, conclusion: str) -> None:
        """Let a run end: `success`, `failure`, ..."""
        with self.world.lock:
            ended = self.repo.runs[run]
            ended.status, ended.conclusion = "completed", conclusion
            ended.updated = self.world.clock()

    def expire(self, run: int, name: str | None = None) -> None:
        """Let a run's artifacts expire: all, or the one of that name."""
        with self.world.lock:
            for artifact in self.repo.runs[run].artifacts:
                artifact.expired |= name in (None, artifact.name)

    def add_ruleset(
        self,
        name: str,
        rules: Sequence[Mapping[str, Any]],
        *,
        include: Sequence[str] = ("~DEFAULT_BRANCH",),
        exclude: Sequence[str] = (),
        enforcement: str = "active",
        bypass: Sequence[Mapping[str, Any]] = (),
    ) -> int:
        """Add a ruleset for branches and return its id.

        Args:
            name: Its name.
            rules: As GitHub writes them: `{"type": "deletion"}`, ...
            include: `refs/heads/PATTERN`, `~DEFAULT_BRANCH` or `~ALL`.
            exclude: In the same way.
            enforcement: `active`, `evaluate` or `disabled`.
            bypass: Who may pass by it, as GitHub writes `bypass_actors`.
        """
        with self.world.lock:
            made = Ruleset(
                id=self.world.next_id(),
                name=name,
                target="branch",
                enforcement=enforcement,
                include=list(include),
                exclude=list(exclude),
                rules=[dict(rule) for rule in rules],
                bypass=[dict(actor) for actor in bypass],
                created=self.world.clock(),
            )
            self.repo.rulesets.append(made)
            return made.id

    def add_environment(
        self,
        name: str,
        protection_rules: Sequence[Mapping[str, Any]] = (),
        branch_policy: Mapping[str, bool] | None = None,
        branches: Sequence[str] = (),
        secrets: Sequence[str] = (),
    ) -> None:
        """Add an environment.

        Args:
            name: Its name.
            protection_rules: As GitHub writes them.
            branch_policy: `{"protected_branches": True, "custom_branch_policies": False}`.
            branches: The patterns of a policy of its own.
            secrets: The names of its secrets.
        """
        with self.world.lock:
            rules = [dict(rule) for rule in protection_rules]
            policy = None if branch_policy is None else dict(branch_policy)
            number, at = self.world.next_id(), self.world.clock()
            made = Environment(number, name, at, rules, policy, list(branches))
            made.names.secrets += secrets
            self.repo.environments[name] = made

    def acts(self) -> dict[str, Callable[..., Any]]:
        """Return what `POST /_rehearsal/do/NAME` can do."""
        acts = (
            self.token,
            self.add_user,
            self.remove_user,
            self.add_fork,
            self.remove_fork,
            self.open_pull,
            self.close_pull,
            self.approve,
            self.request_changes,
            self.dismiss,
            self.comment,
            self.merge,
            self.queue,
            self.merge_queued,
            self.expire,
            self.add_ruleset,
            self.add_environment,
        )
        acts_by_name: dict[str, Callable[..., Any]] = {act.__name__: act for act in acts}
        return acts_by_name | {"add_run": self._add_run_of_json, "upload": self._upload_of_text}

    def _add_run_of_json(self, artifacts: Mapping[str, str] | None = None, **about: Any) -> int:
        zips = {name: base64.b64decode(text) for name, text in (artifacts or {}).items()}
        return self.add_run(artifacts=zips, **about)

    def _upload_of_text(self, run: int, name: str, data: str) -> int:
        return self.upload(run, name, base64.b64decode(data))


def _zip(files: bytes | Mapping[str, bytes]) -> bytes:
    if isinstance(files, bytes):
        return files
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()
