"""Safe mode is on wherever the cluster is not the experiment's own."""

from __future__ import annotations

from tests.unit.planning.scene import inventory


def test_safe_mode_by_default_and_as_asked() -> None:
    assert not inventory().is_safe
    assert inventory(embedded=False).is_safe
    assert not inventory(embedded=False, safe_mode=False).is_safe
    assert inventory(safe_mode=True).is_safe
    assert [target.name for target in inventory().running("child")] == ["child/cart"]
