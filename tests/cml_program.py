"""A stand-in for CML 0.20.6: `cml comment update` with its command line, endpoints and faults.

Written after what the real one was seen to do; the tests that use it run against the real
one too, wherever there is a `cml` on PATH. Uses the standard library only. Installed as
`cml` it looks for `fault.json` beside itself ({"kind": ...}) and appends each call to
`calls.jsonl`:

- `crash`: ends before it asked for anything; `crash-after`: after the comment is there;
- `hang`: never ends, and neither does the process that it started;
- `flood`: prints without an end;
- `duplicate`: makes a second comment; `cut`: posts the report without its end;
- `silent`: ends well and posts nothing.
"""

import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
WATERMARK = "https://cml.dev/watermark.png"
OPTIONS = ("driver", "repo", "target", "publish", "watermark-title")
ESCAPED = (("_", "\\_"), ("*", "\\*"), ("[", "\\["), ("<", "\\<"))


def main(arguments):
    fault = _fault()
    if fault == "crash":
        raise RuntimeError("the stand-in crashes")
    if fault == "hang":
        _hang()
    while fault == "flood":
        sys.stdout.write("x" * 65536)
    given, report = _parsed(arguments)
    Path(os.environ["HOME"], ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    text = Path(report).read_bytes().decode()
    api = Api(given["repo"])
    if "CI" in os.environ or "GITHUB_SERVER_URL" in os.environ:  # telemetry wants a name
        api.ask("GET", f"/users/{os.environ.get('GITHUB_ACTOR')}")
    if fault == "silent":
        return
    body = text[:-5] if fault == "cut" else text
    url = update(api, given["target"].removeprefix("pr/"), given["watermark-title"], body)
    if fault == "duplicate":
        api.write("POST", f"{api.issues}/{given['target'][3:]}/comments", body)
    if fault == "crash-after":
        raise RuntimeError("the stand-in crashes")
    if url:
        sys.stdout.write(f"{url}\n")


def update(api, number, title, report):
    for character, escaped in ESCAPED:
        title = title.replace(character, escaped)
    title = f"CML watermark {title}".strip()
    sha = os.environ.get("GITHUB_SHA") or _head()
    body = f'{report}\n\n![]({WATERMARK}{f"#{sha}" if sha else ""} "{title}")'
    # One page of the list, of the 30 oldest, and not a word about who wrote them.
    comments = api.ask("GET", f"{api.issues}/{number}/comments")
    pattern = rf'!\[\]\({re.escape(WATERMARK)}#[0-9a-fA-F]+ "{re.escape(title)}"\)'
    for comment in reversed(comments):
        if re.search(pattern, comment["body"]):
            return api.write("PATCH", f"{api.issues}/comments/{comment['id']}", body)
    return api.write("POST", f"{api.issues}/{number}/comments", body)


class Api:
    def __init__(self, repo):
        parts = urlsplit(repo)
        github = parts.hostname == "github.com"
        self.base = "https://api.github.com" if github else f"https://{parts.netloc}/api/v3"
        self.issues = f"/repos{parts.path.removesuffix('.git')}/issues"
        self.token = os.environ["GITHUB_TOKEN"]
        self.context = ssl.create_default_context()
        if more := os.environ.get("NODE_EXTRA_CA_CERTS"):
            self.context.load_verify_locations(more)

    def write(self, method, path, body):
        return self.ask(method, path, {"body": body})["html_url"]

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method)  # noqa: S310
        request.add_header("Authorization", f"token {self.token}")
        request.add_header("Content-Type", "application/json; charset=utf-8")
        for attempt in range(6):
            try:
                with urllib.request.urlopen(request, context=self.context) as response:  # noqa: S310
                    text = response.read()
                    break
            except http.client.IncompleteRead:  # nothing is left to do: it ends, and ends well
                raise SystemExit(0) from None
            except urllib.error.HTTPError as error:
                said = json.loads(error.read())
                if error.code == 403 and "secondary rate" in said["message"]:
                    wait = 125 + 30 * attempt
                    _line("info", f"Retrying because of abuse limit in {wait} seconds")
                    time.sleep(wait)
                    continue
                _refused(error.code, said, dict(error.headers), request)
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", None) or "socket hang up"
                _refused(
                    500, f"request to {request.full_url} failed, reason: {reason}", {}, request
                )
        try:
            return json.loads(text)
        except ValueError as error:
            message = f"invalid json response body at {request.full_url} reason: {error}"
            return _refused(500, message, {}, request)


def _refused(status, said, headers, request):
    """Print one line that holds the whole report, and end."""
    message = said if isinstance(said, str) else said["message"]
    line = {"level": "error", "message": message, "name": "HttpError", "status": status}
    held = (request.data or b"").decode()
    line["request"] = {"method": request.get_method(), "body": held, "url": request.full_url}
    if not isinstance(said, str):
        names = {name.lower(): value for name, value in headers.items()}
        line["response"] = {"status": status, "headers": names, "data": said}
    sys.stderr.write(f"{json.dumps(line)}\n")
    raise SystemExit(1)


def _parsed(arguments):
    """Return options and file; what the real one does not know ends with its help."""
    given, files, words = {"publish": "true"}, [], list(arguments)
    known = words[:2] == ["comment", "update"]
    words = words[2:]
    while words and known:
        name, equals, value = words.pop(0).partition("=")
        if not name.startswith("--"):
            files.append(name)
        elif name[2:] in OPTIONS:
            given[name[2:]] = value if equals else words.pop(0)
        else:
            known = False
    usable = re.fullmatch(r"https?://[^/]+/[^/]+/[^/]+/?", given.get("repo", ""))
    if not known or len(files) != 1 or given.get("driver") != "github" or not usable:
        sys.stderr.write("cml <command>\n\nUnknown argument\n")
        raise SystemExit(1)
    if given["publish"] != "false":
        raise RuntimeError("every local file that the report links to would be public now")
    return given, files[0]


def _head():
    command = ["git", "rev-parse", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else ""


def _line(level, message):
    sys.stderr.write(f"{json.dumps({'level': level, 'message': message})}\n")
    sys.stderr.flush()


def _hang():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (HERE / "hanging").write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)


def _fault():
    try:
        return json.loads((HERE / "fault.json").read_text())["kind"]
    except OSError:
        return None


def _record():
    call = {"arguments": sys.argv[1:], "environ": dict(os.environ), "folder": str(Path.cwd())}
    with (HERE / "calls.jsonl").open("a") as file:
        file.write(json.dumps(call) + "\n")


if __name__ == "__main__":
    _record()
    main(sys.argv[1:])
