"""Orders are values: they compare by content and do not change."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from supervisor.tasks import commands as do


def test_commands_compare_by_content_and_do_not_change() -> None:
    command = do.KillWorker("w0", "timeout_s passed")
    assert command == do.KillWorker("w0", "timeout_s passed")
    assert command != do.RecallBatch("w0", 1)
    with pytest.raises(FrozenInstanceError):
        command.worker = "w1"  # pyright: ignore[reportAttributeAccessIssue]
