"""The JavaScript that draws the charts, out of vl-convert: made once for each of its versions."""

import hashlib
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from mergeline.files import write_whole

_SNIPPET = "window.vegaEmbed = vegaEmbed;"

# What the bundler makes, by version of vl-convert-python. Only such bytes are kept and taken
# from a disk: whoever may write to the cache must not get to write a report's script.
_KNOWN = {
    "1.9.0.post1": "373b1f84072b31010f15ceb787be6b415c53936411aae267c8c2b2b6ccde46e7",
}


def vega_javascript(environ: Mapping[str, str] = os.environ) -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script for `<script>`; 0.9 MB.

    Making it takes seconds, so it is kept in the user's cache folder; where that cannot be
    written it is made each time.
    """
    wanted = _KNOWN.get(version("vl-convert-python"))
    kept = _folder(environ) / f"vega-{version('vl-convert-python')}.js"
    found = _read(kept) if wanted else b""
    if wanted and hashlib.sha256(found).hexdigest() == wanted:
        return found.decode()
    import vl_convert

    # `</script` and `<!--` would end, or hide, the element; in a string they mean the same so.
    made: str = vl_convert.javascript_bundle(_SNIPPET).replace("</script", "<\\/script")
    made = made.replace("<!--", "<\\!--")
    if wanted and hashlib.sha256(made.encode()).hexdigest() == wanted:
        _keep(kept, made)
    return made


def _folder(environ: Mapping[str, str]) -> Path:
    given = environ.get("XDG_CACHE_HOME", "")
    return (Path(given) if given else Path.home() / ".cache") / "mergeline"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _keep(path: Path, text: str) -> None:
    try:
        write_whole(path, text.encode())
    except OSError:
        return  # a cache is not worth an error
