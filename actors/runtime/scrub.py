"""Keep secrets out of the log: texts are scrubbed before they leave the process."""

from __future__ import annotations

import re
from collections.abc import Sequence

DEFAULT_PATTERNS = (
    r"(?i)(?:password|passwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?([^\s\"',;&]+)",
    r"(?i)authorization[\"']?\s*[=:]\s*[\"']?((?:bearer|basic)\s+[^\s\"',;]+)",
    r"://[^\s/:@]+:([^\s/@]+)@",
)
"""Each pattern's first group is what is hidden; without a group, the whole match is."""

TEXT_LIMIT = 2000
_READ_LIMIT = 16 * TEXT_LIMIT
_HIDDEN = "***"


class Scrubber:
    """Hides what the patterns find, and cuts long texts.

    Args:
        patterns: Regular expressions; the first group of each is replaced, or the whole match without one.
    Raises: re.error for an invalid pattern.
    """

    def __init__(self, patterns: Sequence[str] = DEFAULT_PATTERNS) -> None:
        self._patterns = [re.compile(pattern) for pattern in patterns]

    def clean(self, text: str) -> str:
        """The text without secrets, at most `TEXT_LIMIT` characters."""
        text = text[:_READ_LIMIT]  # a secret that the cut at TEXT_LIMIT went through would not be recognised
        for pattern in self._patterns:
            text = pattern.sub(_hide, text)
        return text[:TEXT_LIMIT]


def _hide(match: re.Match[str]) -> str:
    whole = match.group(0)
    if match.re.groups == 0 or match.group(1) is None:
        return _HIDDEN
    start, end = match.start(1) - match.start(0), match.end(1) - match.start(0)
    return whole[:start] + _HIDDEN + whole[end:]
