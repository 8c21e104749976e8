"""What a monitor leaves to its next life, as octets: what its machine keeps, the probes, and the latest changes."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from actors.runtime.wire import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.health.kept import KeptMonitor
    from actors.health.published import Numbered
    from actors.health.settings import ProbeKind, ProbeSettings

_PARTS = 2


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


class SavedPacker:
    """Packs one monitor, over and over: what was registered is packed once each, for that is most of the work."""

    def __init__(self) -> None:
        self._settings: dict[tuple[str, ProbeKind], tuple[ProbeSettings, bytes]] = {}

    def pack(self, saved: Saved) -> bytes:
        """Its octets."""
        packed: dict[tuple[str, ProbeKind], tuple[ProbeSettings, bytes]] = {
            (each.component, each.kind): self._packed(each) for each in saved.kept.registrations
        }
        self._settings = packed
        kept = replace(saved.kept, registrations=())
        whole = replace(saved, kept=kept)
        return pickle.dumps((whole, [data for _, data in packed.values()]), PROTOCOL)

    def _packed(self, settings: ProbeSettings) -> tuple[ProbeSettings, bytes]:
        known = self._settings.get((settings.component, settings.kind))
        if known is not None and known[0] is settings:
            return known
        return settings, pickle.dumps(settings, PROTOCOL)


def unpack_saved(data: bytes) -> Saved:
    """What was packed; users' probes stay packed."""
    found: Any = pickle.loads(data)  # noqa: S301 - our own former life made it
    if not (isinstance(found, tuple) and len(found) == _PARTS and isinstance(found[0], Saved)):
        raise TypeError(f"a monitor leaves a Saved and its settings, not a {type(found).__name__}")
    saved, settings = found
    registrations = tuple(pickle.loads(each) for each in settings)  # noqa: S301 - the same
    return replace(saved, kept=replace(saved.kept, registrations=registrations))
