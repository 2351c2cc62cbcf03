"""DVC in the project: initialised, its lock usable, its remote, no secrets in what is committed."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path

from mergeline.adapters.dvc_remote import look_at_remote
from mergeline.adapters.git_process import run_git, without_credentials
from mergeline.core import layout
from mergeline.project.doctor.data import is_tracked
from mergeline.project.doctor.finding import Finding, missing, ok, unknown, warn

CONFIG = ".dvc/config"
LOCAL = ".dvc/config.local"
_REMOTE = re.compile(r"""'?remote\s*["']([^"']+)["']'?""")
_MARKS = (b"<<<<<<< ", b">>>>>>> ")
_SECRET = re.compile(
    "password|passphrase|.*secret(_access_key)?|.*_token|account_key|connection_string"
)
_WITH_PASSWORD = re.compile(r"://[^/@\s:]*:[^/@\s]+@")


def remote_findings(root: Path) -> Iterator[Finding]:
    """Look at DVC's folder, lock and remote."""
    if not (root / ".dvc").is_dir():
        yield missing("dvc init", "this is no DVC project yet", "dvc init, then commit .dvc")
        return
    yield _lock(root)
    try:
        shared, local = _read(root / CONFIG), _read(root / LOCAL)
    except ConfigParserError as error:
        yield missing("dvc remote", f"DVC's settings: {_one_line(error)}", f"mend {CONFIG}")
        return
    yield from _secrets(root, shared)
    yield from _remote(root, shared, local)


def has_remote(root: Path) -> bool:
    """Return whether `.dvc/config` names a remote."""
    try:
        return any(map(_REMOTE.fullmatch, _read(root / CONFIG)))
    except ConfigParserError:
        return False


def _lock(root: Path) -> Finding:
    for name in (layout.PIPELINE, layout.LOCK):
        if run_git(root, "check-ignore", "--quiet", name).returncode == 0:
            detail = f"Git ignores {name}, which DVC refuses"
            return missing(layout.LOCK, detail, f"take {name} out of .gitignore")
    path = root / layout.LOCK
    if not path.is_file():
        return ok(layout.LOCK, "not there yet; a check makes it")
    if any(line.startswith(_MARKS) for line in path.read_bytes().splitlines()):
        detail = "it holds the marks of a merge conflict"
        return missing(layout.LOCK, detail, f"rm {layout.LOCK}; a check makes it again")
    return ok(layout.LOCK, "in Git" if is_tracked(root, layout.LOCK) else "not committed; fine")


def _read(path: Path) -> Mapping[str, Mapping[str, str]]:
    parser = ConfigParser(interpolation=None)
    if path.is_file():
        parser.read_string(path.read_text(encoding="utf-8", errors="replace"), source=path.name)
    return {name: dict(parser[name]) for name in parser.sections()}


def _secrets(root: Path, config: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    for section, options in config.items():
        name = _REMOTE.fullmatch(section)
        if name is None:
            continue
        keys = [key for key in options if _SECRET.fullmatch(key)]
        keys += [key for key, value in options.items() if _WITH_PASSWORD.search(value)]
        for key in keys:
            where = f"{CONFIG}, which Git tracks" if is_tracked(root, CONFIG) else CONFIG
            # Its value is not printed.
            yield missing(
                "dvc secrets",
                f"`{key}` of remote {name[1]} stands in {where}: whoever reads the repository "
                "has it",
                f"change it where it was given out (Git's history keeps it), then: "
                f"dvc remote modify --unset {name[1]} {key}; "
                f"dvc remote modify --local {name[1]} {key} NEW_VALUE",
            )


def _remote(
    root: Path,
    shared: Mapping[str, Mapping[str, str]],
    local: Mapping[str, Mapping[str, str]],
) -> Iterator[Finding]:
    core = {**shared.get("core", {}), **local.get("core", {})}
    name = core.get("remote", "").strip()
    if not name:
        yield warn(
            "dvc remote",
            "none: no job can restore what another one trained, and nothing is published",
            "dvc remote add --default storage ADDRESS, then commit .dvc/config",
        )
        return
    url = _address(name, shared) or _address(name, local)
    if not url:
        detail = f"core.remote is {name}, and no remote has that name"
        yield missing("dvc remote", detail, f"dvc remote add {name} ADDRESS")
        return
    if not _address(name, shared):
        detail = f"{name} is named in {LOCAL} only, which no other machine has"
        yield warn("dvc remote", detail, f"dvc remote add --project --default {name} ADDRESS")
    said = f"{name}, {without_credentials(url).partition('?')[0]}"
    yield _folder(root, said, url) if _is_folder(url) else _asked(root, name, said)


def _address(name: str, config: Mapping[str, Mapping[str, str]]) -> str:
    for section, options in config.items():
        found = _REMOTE.fullmatch(section)
        if found is not None and found[1] == name:
            return options.get("url", "").strip()
    return ""


def _is_folder(url: str) -> bool:
    return "://" not in url or url.startswith("file://")


def _folder(root: Path, said: str, url: str) -> Finding:
    path = root / ".dvc" / url.removeprefix("file://")
    if not path.is_dir():
        return warn("dvc remote", f"{said}: there is no such folder", f"mkdir -p {path.resolve()}")
    may = "may be written" if os.access(path, os.W_OK) else "may only be read"
    return warn(
        "dvc remote",
        f"{said}: a folder of this machine ({may}); a hosted runner does not see it",
        "for GitHub: dvc remote add --default --force storage ADDRESS, one that runners reach",
    )


def _asked(root: Path, name: str, said: str) -> Finding:
    answer = look_at_remote(root, name)
    if answer.state == "reached":
        detail = f"{said}: reached; whether it may be written is not known, only a push would tell"
        return ok("dvc remote", detail)
    if answer.state == "no plugin":
        uv = f"{sys.prefix}/bin/uv pip install --python {sys.executable} 'dvc[{answer.said}]'"
        jobs = f"`with: {{remote: {answer.said}}}` beside `uses` in pull-request.yml, promote.yml"
        detail = f"{said}: DVC's part for {answer.said} is not installed"
        return missing("dvc remote", detail, f"{uv}; for the jobs {jobs}")
    if answer.state == "silent":
        return unknown("dvc remote", f"{said}: {answer.said}", "see that the network is up")
    return warn(
        "dvc remote",
        f"{said}: not reached with the credential at hand: {answer.said}",
        f"give it one that reads: dvc remote modify --local {name} …; jobs get theirs by the "
        "secret MERGELINE_DVC_CONFIG",
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
