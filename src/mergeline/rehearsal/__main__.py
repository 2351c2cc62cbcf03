"""The stand-in as a process of its own: `python -m mergeline.rehearsal FOLDER`.

Its first line on stdout is JSON: where it listens, the remote, the secret of its own
addresses (see `mergeline.rehearsal.control`). It ends when its stdin ends or at a signal.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from mergeline.rehearsal.running import Rehearsal


def main(arguments: list[str]) -> int:
    """Serve until stdin ends or a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m mergeline.rehearsal")
    parser.add_argument("folder", type=Path, help="for the bare repositories")
    parser.add_argument("--repository", default="acme/credit", help="OWNER/NAME")
    parser.add_argument("--private", action="store_true", help="strangers do not see it")
    parser.add_argument("--tls", action="store_true", help="listen with TLS too")
    parser.add_argument("--port", type=int, default=0, help="of HTTP; 0: a free one")
    parser.add_argument("--tls-port", type=int, default=0, help="of TLS; 0: a free one")
    options = vars(parser.parse_args(arguments))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with Rehearsal.start(options.pop("folder"), **options) as rehearsal:
            sys.stdout.write(json.dumps(_about(rehearsal)) + "\n")
            sys.stdout.flush()
            while os.read(sys.stdin.fileno(), 4096):
                pass
    except KeyboardInterrupt:
        return 0
    return 0


def _about(rehearsal: Rehearsal) -> dict[str, str | None]:
    return {
        "url": rehearsal.url,
        "api_url": rehearsal.api_url,
        "tls_url": rehearsal.tls_url,
        "ca_file": None if rehearsal.ca_file is None else str(rehearsal.ca_file),
        "repository": rehearsal.name,
        "remote": rehearsal.remote,
        "clone_url": rehearsal.clone_url,
        "secret": rehearsal.world.secret,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
