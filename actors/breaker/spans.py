"""The span of each transition, so that whoever refuses a call can link to what caused it without asking. Pure."""

from __future__ import annotations

from hashlib import blake2b


def span_of(name: str, generation: int) -> tuple[int, int]:
    """The trace and span id of the transition that began a generation; both follow from the two."""
    digest = blake2b(f"{name}/{generation}".encode(), digest_size=24).digest()
    return int.from_bytes(digest[:16], "big") or 1, int.from_bytes(digest[16:], "big") or 1
