"""What a supervisor needs to come into being, held by everyone who may have to create its successor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.config import SupervisorConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter:
    """A supervisor's constitution: the same for all of its incarnations.

    Attributes:
        name: The supervisor's name.
        config: Complete: every pool has its size.
        log_node_id: The node whose disk holds the log.
        otlp_endpoint: Where spans are exported to, or None.
    """

    name: str
    config: SupervisorConfig
    log_node_id: str
    otlp_endpoint: str | None
