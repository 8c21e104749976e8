"""Readers answer from what was published, with the reason, and name what nobody declared."""

from __future__ import annotations

import pickle

import pytest

from actors.degradation.features import resolve
from actors.degradation.published import Published, Reader
from actors.degradation.settings import LEVELS
from actors.runtime.errors import ConfigError
from tests.unit.degradation.scene import feature


def _reader(level: int = 0) -> Reader:
    features = [
        feature("search", lowest="reduced", limits={"rows": {"full": 9, "reduced": 5}}),
        feature("chat", needs="search"),
        feature("beta", rollout=0, tenants={"acme": True}),
        feature("lab", needs="beta", tenants={"acme": False}),
        feature("plain"),
    ]
    resolved = resolve({each.name: each for each in features}, level=level, levels=LEVELS)
    return Reader(Published(level=LEVELS[level], number=level, generation=7, reason="test", resolved=resolved))


def test_what_is_the_same_for_all_and_what_is_not() -> None:
    reader = _reader()
    assert reader.level == "full"
    assert [reader.enabled(name) for name in ("search", "chat", "beta", "lab", "plain")] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert reader.enabled("beta", tenant="acme")
    assert not reader.enabled("lab", tenant="acme")
    assert not reader.enabled("beta", tenant="other")
    assert reader.enabled("plain", tenant="other")
    assert reader.limit("rows") == 9


def test_the_reason_is_told_with_its_feature() -> None:
    reader, poor = _reader(), _reader(2)
    assert reader.why("plain") == ("on", "plain")
    assert reader.why("beta", tenant="acme") == ("on", "beta")
    assert reader.why("beta", tenant="other") == reader.why("lab", tenant="other") == ("rollout", "beta")
    assert reader.why("lab", tenant="acme") == ("tenant", "lab")
    assert reader.why("beta") == ("rollout", "beta")
    assert poor.why("search") == ("level", "search")
    assert poor.why("chat") == ("needs", "search")
    assert (poor.enabled("chat"), poor.limit("rows")) == (False, 5)


def test_what_nobody_declared_is_named_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"'seach' is not declared; .* there are: beta, chat, lab, plain, search"):
        _reader().enabled("seach")
    with pytest.raises(ConfigError, match=r"degradation\.feature"):
        _reader().why("seach", tenant="acme")
    with pytest.raises(ConfigError, match=r"degradation\.limit: 'row' is not declared; .* there are: rows"):
        _reader().limit("row")
    empty = Published(level="full", number=0, generation=0, reason="", resolved=resolve({}, level=0, levels=LEVELS))
    with pytest.raises(ConfigError, match="there are: none"):
        Reader(empty).limit("row")


def test_many_names_are_cut() -> None:
    declared = {f"f{n}": feature(f"f{n}") for n in range(20)}
    published = Published(
        level="full", number=0, generation=0, reason="", resolved=resolve(declared, level=0, levels=LEVELS)
    )
    with pytest.raises(ConfigError, match=r", \.\.\.$"):
        Reader(published).enabled("x")


def test_it_travels() -> None:
    published = _reader().published
    assert pickle.loads(pickle.dumps(published)) == published


def test_what_decides_for_a_tenant_is_told() -> None:
    reader = _reader()
    assert reader.decided_by("plain", tenant="acme") == "on"
    assert reader.decided_by("beta", tenant="acme") == "tenant"
    assert reader.decided_by("beta", tenant="other") == "rollout"
    assert reader.decided_by("lab", tenant="acme") == "tenant"
    assert reader.decided_by("beta") == "rollout"
    assert _reader(level=2).decided_by("search", tenant="acme") == "level"
