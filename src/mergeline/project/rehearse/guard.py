"""Who may ask the site, and what its pages may do in a browser."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

# Nothing but the site's own style; pictures lie in the page itself.
PAGE = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# A build's report is one file with its own scripts: it runs as nobody, and reaches nothing.
REPORT = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HOSTS = frozenset({"127.0.0.1", "localhost"})


def headers(policy: str) -> dict[str, str]:
    """Return the headers of a page under a policy."""
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


@dataclass(frozen=True)
class Guard:
    """Tells the visitor's own browser at this address from everything else.

    Attributes:
        port: Of the site.
        token: Stands in each form; another site cannot read it.
    """

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def objection(self, headers: Mapping[str, str]) -> str:
        """Return why a request is not answered, whatever it asks; empty where it is.

        A name that somebody else made to point here is not ours.
        """
        if self._ours(headers.get("host", "")):
            return ""
        return "This site answers at its own address on this machine only."

    def objection_to_act(self, headers: Mapping[str, str], token: str) -> str:
        """Return why a form is not obeyed; empty where it is."""
        origin = headers.get("origin")
        if origin is not None and not self._ours(origin, scheme="http://"):
            return "A form of another site was sent here: nothing was done."
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "A form of another site was sent here: nothing was done."
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return "This form is from before the site was started anew: load the page again."
        return ""

    def _ours(self, address: str, scheme: str = "") -> bool:
        return address in {f"{scheme}{host}:{self.port}" for host in _HOSTS}
