from __future__ import annotations

from dataclasses import replace

from actors.event_log.tree_record import TreeRecord

RECORD = TreeRecord(supervisor="s", leader_incarnation=2, version=3, at_us=0, data=b"tree", era=1)


def test_order_is_by_era_then_leader_then_version():
    earlier = [replace(RECORD, version=2), replace(RECORD, leader_incarnation=1, version=9), replace(RECORD, era=0)]
    assert all(record.order < RECORD.order for record in earlier)
    assert RECORD.order == (1, 2, 3)
