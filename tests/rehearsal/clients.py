"""What speaks to the stand-in in tests: an HTTP client without opinions, and real Git."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

SECONDS = 30
_DATES = {f"GIT_{role}_DATE": "2026-11-20T10:00:00Z" for role in ("AUTHOR", "COMMITTER")}


@dataclass
class Api:
    """A client with a token; `{repo}` in a path stands for the repository."""

    url: str
    token: str | None
    repo: str
    verify: str | bool = True
    session: requests.Session = field(default_factory=requests.Session)

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        address = path if "://" in path else self.url + path.replace("{repo}", f"repos/{self.repo}")
        return self.session.request(
            method,
            address,
            json=body,
            headers=headers | more.pop("headers", {}),
            verify=self.verify,
            timeout=SECONDS,
            allow_redirects=False,
            **more,
        )

    def get(self, path: str, **query: Any) -> Any:
        answer = self("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class Clone:
    """A working tree that commits as somebody."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, remote: str, **environ: str) -> "Clone":
        folder.mkdir()
        clone = cls(folder, environ)
        clone.git("init", "-q", "-b", "main")
        clone.git("remote", "add", "origin", remote)
        return clone

    def git(self, *arguments: str, name: str = "Ann", check: bool = True) -> str:
        email = f"{name.lower()}@example.org"
        people = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email}
        people |= {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email}
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=os.environ | _DATES | people | alone | self.environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout.strip() if done.returncode == 0 else done.stderr

    def commit(
        self, path: str, text: str, message: str | None = None, *, name: str = "Ann", push: str = ""
    ) -> str:
        (self.folder / path).write_text(text)
        self.git("add", path)
        self.git("commit", "-q", "-m", message or f"Change {path}", name=name)
        if push:
            self.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{push}")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, onto: str = "main") -> None:
        self.git("fetch", "-q", "origin")
        self.git("checkout", "-q", "-B", name, f"origin/{onto}")

    def topic(self, name: str, *files: str, onto: str = "main") -> str:
        """Push a branch with one commit per file; return its tip."""
        self.branch(name, onto)
        shas = [self.commit(file, f"{name}\n") for file in files or (f"{name}.txt",)]
        self.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{name}")
        return shas[-1]

    def log(self, ref: str = "origin/main", form: str = "%s") -> list[str]:
        self.git("fetch", "-q", "origin")
        return self.git("log", f"--format={form}", ref).splitlines()
