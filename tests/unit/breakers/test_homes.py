from __future__ import annotations

import pytest

from actors.runtime.ids import ActorName, is_valid_name
from supervisor.breakers.homes import SHARDS, home_of, is_owner, own_key, shard_key

NAMES = ["bank", "shard-1", "a b", "ünïcode", "x" * 128, "-", "..", "pay/eu", "a#1"]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_gives_a_key_that_can_name_an_actor(name):
    for key in (own_key(name), shard_key(name)):
        concern, _, child = key.partition("/")
        assert is_valid_name(child), child
        assert ActorName.parse(str(ActorName("default", concern, child, 1))) is not None
        assert is_owner(key)


def test_different_names_have_different_actors():
    assert len({own_key(name) for name in NAMES}) == len(NAMES)
    assert own_key("bank") == "breaker/bank"
    assert own_key("shard-1") != "breaker/shard-1"


def test_the_first_ones_have_actors_of_their_own_and_keep_them():
    keys: list[str] = ["event_log/writer"]
    homes = {}
    for number in range(50):
        home = homes[number] = home_of(f"n{number}", keys, own_max=3)
        keys += [home] if home not in keys else []
    assert [homes[number] for number in range(3)] == ["breaker/n0", "breaker/n1", "breaker/n2"]
    assert all(homes[number].startswith("breaker/shard-") for number in range(3, 50))
    assert len(keys) == 1 + 3 + SHARDS
    assert all(home_of(f"n{number}", keys, own_max=3) == home for number, home in homes.items())


def test_without_room_for_own_actors_all_are_shared():
    assert home_of("bank", (), own_max=0) == shard_key("bank")
