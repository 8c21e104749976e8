"""Which version of this package runs: processes of one supervisor hand each other pickles, and must agree."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "ray-supervisor"


def package_version() -> str:
    """This process's version; "unknown" when the package runs from a folder that was never installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


def version_fault(theirs: str | None, ours: str) -> str:
    """What is wrong between a supervisor's version and a caller's; empty when they agree.

    Args:
        theirs: The leader's; None when it is so old that it cannot tell.
        ours: This process's.
    """
    if theirs == ours:
        return ""
    return f"it runs ray-supervisor {theirs or 'of a version that cannot tell it'}, this process {ours}"
