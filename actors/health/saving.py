"""What a monitor leaves to its next life, as octets: what its machine keeps, the probes, and the latest changes."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.runtime.wire import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.kept import KeptMonitor
    from actors.health.published import Numbered
    from actors.health.settings import ProbeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A monitor at one moment.

    Attributes:
        kept: What its machine keeps.
        probes: The packed probes, by component and kind.
        changes: The latest changes, as they lie on the boards.
    """

    kept: KeptMonitor
    probes: Mapping[tuple[str, ProbeKind], bytes]
    changes: tuple[Numbered, ...]


def pack_saved(saved: Saved) -> bytes:
    """Its octets."""
    return pickle.dumps(saved, PROTOCOL)


def unpack_saved(data: bytes) -> Saved:
    """What was packed; users' probes stay packed."""
    found = pickle.loads(data)  # noqa: S301 - our own former life made it
    if not isinstance(found, Saved):
        raise TypeError(f"a monitor leaves a Saved, not a {type(found).__name__}")
    return found
