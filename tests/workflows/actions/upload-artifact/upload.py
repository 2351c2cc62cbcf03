"""Zips files as actions/upload-artifact does, as a stream, and gives them to the stand-in."""

import base64
import hashlib
import io
import json
import os
import urllib.request
import zipfile
from pathlib import Path


class Stream(io.RawIOBase):
    """Takes bytes and cannot go back, so that the archive has data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.data += data
        return len(data)


def main() -> None:
    """Upload the files that the action's input names."""
    asked = [Path(line.strip()) for line in os.environ["PATHS"].splitlines() if line.strip()]
    files = [
        file for path in asked for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
    ]
    files = [file for file in files if file.is_file()]
    if not files:
        print("No files were found. No artifacts will be uploaded.")
        return
    root = Path(os.path.commonpath([path.absolute() for path in asked]))
    root = root.parent if root.is_file() else root
    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.absolute().relative_to(root).as_posix())
    made = upload(bytes(stream.data))
    digest = hashlib.sha256(stream.data).hexdigest()
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
        output.write(f"artifact-id={made}\nartifact-digest={digest}\n")
    print(f"Artifact {os.environ['NAME']}: {len(files)} files, id {made}, SHA256 {digest}")


def upload(data: bytes) -> int:
    """Return the id that the stand-in gives an archive."""
    asked = {
        "run": int(os.environ["GITHUB_RUN_ID"]),
        "name": os.environ["NAME"],
        "data": base64.b64encode(data).decode(),
    }
    request = urllib.request.Request(
        f"{os.environ['RUNNER_STORE']}/_rehearsal/do/upload",
        json.dumps(asked).encode(),
        {"Authorization": f"Bearer {os.environ['RUNNER_STORE_KEY']}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answered:
        return json.load(answered)["result"]


if __name__ == "__main__":
    main()
