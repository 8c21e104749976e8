"""A configuration comes from defaults, a mapping or a YAML file; each mistake is named with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actors.runtime.errors import ConfigError
from supervisor.config import LogSettings, PoolSettings, RootSettings, ServiceSettings, SupervisorConfig, plan
from supervisor.tree import LOG, ROOT, SYSTEM, TOP, ChildPlan, GroupPlan, member_plan


def test_everything_has_a_default() -> None:
    config = SupervisorConfig.load(None)
    assert list(config.pools) == ["default"]
    assert SupervisorConfig.load(config) is config
    assert SupervisorConfig.load({}) == config


def test_a_yaml_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("pools: {batch: {size: 3}}\npolicy: {retry: {attempts: 5}}\n")
    for given in (path, str(path)):
        config = SupervisorConfig.load(given)
        assert (config.pools["batch"].size, config.policy.retry.attempts) == (3, 5)


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("# nothing yet\n")
    assert SupervisorConfig.load(tmp_path / "s.yaml") == SupervisorConfig()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"a: [", "is no YAML"),
        (b"\xff\xfe\x00", "is no YAML"),
        (b"- a\n", "holds a list, not a mapping"),
        (b"false\n", "holds a bool, not a mapping"),
        (b"poolz: {}\n", "poolz: unknown key; known keys here:"),
    ],
)
def test_a_broken_file_is_named_with_its_problem(tmp_path: Path, text: bytes, problem: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match=problem) as caught:
        SupervisorConfig.load(path)
    assert caught.value.source == str(path)


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml: no such file"):
        SupervisorConfig.load(tmp_path / "no.yaml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        SupervisorConfig.load(tmp_path)


def test_something_else_is_refused_by_its_type() -> None:
    with pytest.raises(ConfigError, match="not int"):
        SupervisorConfig.load(3)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"pools": {}}, "at least one pool is needed"),
        ({"pools": {"a/b": {}}}, "'a/b' cannot name a pool"),
        ({"pools": {"a\n": {}}}, "cannot name a pool"),
        ({"pools": {"a": {"size": 0}}}, "pools.a.size: Input should be greater than or equal to 1"),
        ({"pools": {"a": {"sise": 1}}}, "pools.a.sise: unknown key; known keys here: .*size"),
        ({"pools": {"a": {"heartbeat_s": 3, "hang_timeout_s": 3}}}, r"hang_timeout_s \(3\) must be larger"),
        ({"log": {"scrub": ["("]}}, "is not a regular expression"),
        ({"policy": {"fallback": {"fn": "f"}}}, "policy.fallback.fn: Input should be callable"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(data: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        SupervisorConfig.load(data)


_NO_SUCH_STRATEGY = r"healer.plans\[1\].strategies\[1\]: no installed package has the entry point 'mend'"


def test_a_strategy_that_nobody_has_installed_is_refused_however_it_is_given(tmp_path: Path) -> None:
    words = [{"component": "web"}, {"component": "db", "strategies": ["restart", {"strategy": {"name": "mend"}}]}]
    config = SupervisorConfig.parse({"healer": {"plans": words}}, source="code")
    path = tmp_path / "s.yaml"
    path.write_text(
        "healer:\n  plans:\n    - component: web\n"
        "    - {component: db, strategies: [restart, {strategy: {name: mend}}]}\n"
    )
    for given in (config, {"healer": {"plans": words}}, path, str(path)):
        with pytest.raises(ConfigError, match=_NO_SUCH_STRATEGY):
            SupervisorConfig.load(given)


def test_a_plan_has_people_told_by_channels_that_there_are() -> None:
    plans = [{"component": "db", "strategies": [{"escalate": {"channels": "pager"}}]}]
    pager = {"name": "pager", "url": "json://localhost"}
    config = SupervisorConfig.load({"healer": {"plans": plans}, "notifier": {"channels": [pager]}})
    assert [each.name for each in config.notifier.channels] == ["pager"]
    with pytest.raises(ConfigError, match=r"healer.plans\[0\].strategies\[0\].channels: there is no channel 'pager'"):
        SupervisorConfig.load({"healer": {"plans": plans}})


_HOOK = {"name": "hook", "kind": "webhook", "url": "http://localhost/in"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"notifier": {"channels": [_HOOK, _HOOK]}}, r"notifier.channels\[1\].name: 'hook' is taken"),
        (
            {"notifier": {"channels": [_HOOK], "routes": [{"channels": "pager"}]}},
            r"notifier.routes\[0\].channels: there is no channel 'pager'; there are: hook",
        ),
        (
            {"degradation": {"rules": [{"level": "low", "signal": "system_score", "enter": 1, "leave": 2}]}},
            r"degradation.rules\[0\].level: 'low' is no level to degrade to; there are reduced, minimal, emergency",
        ),
    ],
)
def test_what_does_not_fit_together_below_a_key_is_refused_however_it_is_given(
    data: dict[str, dict[str, object]], problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(json.dumps(data))
    for given in (data, path):
        with pytest.raises(ConfigError, match=problem):
            SupervisorConfig.load(given)
    with pytest.raises(ConfigError, match=problem):
        SupervisorConfig(**data)  # pyright: ignore[reportArgumentType]


def test_good_patterns_are_kept() -> None:
    assert LogSettings(scrub=(r"a(b)",)).scrub == (r"a(b)",)


def test_the_plan_has_the_services_a_group_for_each_pool_and_the_root() -> None:
    settings = PoolSettings(
        size=2, standbys=1, heartbeat_s=0.5, hang_timeout_s=2.0, shutdown_s=7.0, intensity=4, period_s=6.0
    )
    config = SupervisorConfig(
        pools={"p": settings, "q": PoolSettings(standbys=0)},
        start_timeout_s=9.0,
        root=RootSettings(intensity=3, period_s=2.0),
        services=ServiceSettings(intensity=7, period_s=4.0),
    )
    groups, children = plan(config)
    member = ChildPlan(
        key="worker/p",
        group="pool:p",
        heartbeat_s=0.5,
        hang_timeout_s=2.0,
        shutdown_s=7.0,
        start_timeout_s=9.0,
        pool="pool:p",
    )
    assert [group.path for group in groups] == [TOP, SYSTEM, "pool:p", "pool:q", ROOT]
    assert groups[1] == GroupPlan(path=SYSTEM, parent=TOP, starts_together=True, intensity=7, period_s=4.0)
    assert groups[2] == GroupPlan(
        path="pool:p",
        parent=TOP,
        starts_together=True,
        ends_together=True,
        intensity=4,
        period_s=6.0,
        pool_size=2,
        pool_standbys=1,
        template=member,
    )
    assert groups[4] == GroupPlan(path=ROOT, parent=TOP, intensity=3, period_s=2.0)
    assert [child.key for child in children] == [LOG, "worker/p-0", "worker/p-1", "worker/p-2", "worker/q-0"]
    assert children[1] == member_plan(member, "worker/p-0")
    assert (children[0].group, children[0].shutdown_s) == (SYSTEM, 30.0)


def test_rules_make_the_owner_of_the_level_begin_with_the_supervisor() -> None:
    rule = {"level": "reduced", "signal": "queue_pressure", "enter": 0.9, "leave": 0.5}
    config = SupervisorConfig.load({"degradation": {"rules": [rule]}, "services": {"heartbeat_s": 0.5}})
    _, children = plan(config)
    (owner,) = [child for child in children if child.key == "degradation/main"]
    assert (owner.group, owner.heartbeat_s, owner.shutdown_s) == (SYSTEM, 0.5, 5.0)
