"""What may be shown of an address: where it leads, and nothing that opens it. Pure.

Apprise's addresses hold tokens as user, password, path and query alike. So of an address the scheme is shown, the host
where it surely is one, and variables by their name; all else is masked.
"""

from __future__ import annotations

import re

HIDDEN = "***"

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_WEB = re.compile(r"(https?://)(?:[^/@\s]*@)?([^/?#\s@]*)([^\s]*)", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://).*", re.DOTALL)


def masked(url: str) -> str:
    """The address for people."""
    web = _WEB.fullmatch(url)
    if web and "@" not in web[3]:  # else a password with a slash in it would be taken for the host
        rest = _rest(web[3])
        return web[1] + web[2] + (rest if rest.startswith("/") or not rest else f"/{rest}")
    other = _SCHEME.fullmatch(url)
    if other:
        return other[1] + _rest(url[len(other[1]) :])
    return _rest(url)


def hide(text: str, secrets: tuple[str, ...]) -> str:
    """A text without these secrets: what a library says of a failure may repeat the address that it was given."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, HIDDEN)
    return text


def _rest(text: str) -> str:
    """Variables by their name; nothing else."""
    if not text.strip("/"):
        return text
    names = _VARIABLE.findall(text)
    return "/".join([*names, HIDDEN] if _VARIABLE.sub("", text).strip("/:@") else names)
