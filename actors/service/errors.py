"""What those meet who ask a service."""

from __future__ import annotations

from actors.runtime.errors import SupervisorError


class ServiceUnreachableError(SupervisorError):
    """A service did not answer in time; what was asked of it may or may not have been done."""

    def __init__(self, key: str, *, what: str, waited_s: float, reason: str = "") -> None:
        self.key = key
        self.what = what
        self.waited_s = waited_s
        self.reason = reason
        last = f" (last: {reason})" if reason else ""
        super().__init__(
            f"{key} did not answer {what!r} within {waited_s:g} s{last}; a change may or may not have been made. "
            "See `supervisor ps` for whether it runs, then ask again"
        )
