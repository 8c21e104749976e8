"""What users write to have their own classes supervised: children, pools and groups, checked before anything starts."""

from supervisor.specs.backoff import BackoffSettings
from supervisor.specs.child import ChildSpec, PoolSpec
from supervisor.specs.group import GroupSpec, TreeSpec

__all__ = ["BackoffSettings", "ChildSpec", "GroupSpec", "PoolSpec", "TreeSpec"]
