"""What the owner of a cluster says of chaos experiments on it. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import Field

from actors.runtime.settings import Settings


class ChaosSettings(Settings):
    """Bounds of all experiments on one supervisor; each experiment has further ones of its own."""

    safe_mode: bool | None = Field(
        default=None, description="Only what opted in may be hit; left out: on, unless the cluster is embedded."
    )
    ephemeral: bool = Field(
        default=False,
        description="The cluster is thrown away afterwards: its nodes and Ray's own processes may be hit.",
    )
    protected: tuple[str, ...] = Field(
        default=(), max_length=1000, description="Names, or patterns, that no experiment ever hits."
    )
    labels: dict[str, dict[str, str]] = Field(
        default_factory=dict[str, dict[str, str]],
        description='What targets are labelled, by name or pattern, as {"worker/*": {"chaos": "allowed"}}.',
    )
    experiments_max: int = Field(default=1, ge=1, le=100, description="So many experiments run at a time.")

    def labels_of(self, name: str) -> dict[str, str]:
        """The labels of a target; of patterns that say different things of it the last counts."""
        found: dict[str, str] = {}
        for pattern, labels in self.labels.items():
            if fnmatchcase(name, pattern) or fnmatchcase(name.rpartition("/")[2], pattern):
                found |= labels
        return found
