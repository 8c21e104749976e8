"""A strategy of a user's own that nobody has installed, or a channel that is none, is refused where it is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.healer.named import STRATEGIES, check_plans
from actors.healer.packing import pack_plan, taken_plan
from actors.healer.settings import PlanRule
from actors.recovery.retry import Retry
from actors.recovery.strategies import Escalate, UserStrategy
from actors.runtime.errors import ConfigError


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with two strategies, as an installer leaves it."""
    package = tmp_path / "mine-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(f"[{STRATEGIES}]\nreindex = mine:reindex\nclean = mine:clean\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def rule(*names: str) -> PlanRule:
    return PlanRule(component="db", strategies=(Retry(), *(UserStrategy(name=name) for name in names)))


@pytest.mark.usefixtures("mine")
def test_what_is_installed_is_taken():
    check_plans({"plans[0]": rule("reindex", "clean"), "plans[1]": PlanRule()}, channels=(), source="file")
    assert taken_plan(pack_plan(rule("reindex")), ()) == rule("reindex")


@pytest.mark.usefixtures("mine")
def test_each_other_one_is_named_with_its_place_and_what_there_is():
    group = "in the group ray_supervisor.strategies; there are clean, reindex"
    with pytest.raises(ConfigError) as refused:
        check_plans({"plans[0]": rule("reindx", "clean"), "plans[1]": rule("tidy")}, channels=(), source="file")
    assert (refused.value.source, refused.value.problems) == (
        "file",
        (
            f"plans[0].strategies[1]: no installed package has the entry point 'reindx' {group}",
            f"plans[1].strategies[1]: no installed package has the entry point 'tidy' {group}",
        ),
    )
    with pytest.raises(ConfigError, match=r"plan\('db'\): strategies\[2\]: .* 'tidy'"):
        taken_plan(pack_plan(rule("clean", "tidy")), ())


def test_where_none_is_installed_the_message_says_so():
    with pytest.raises(ConfigError, match="there are none"):
        taken_plan(pack_plan(rule("tidy")), ())
    check_plans({"": PlanRule()}, channels=(), source="file")


def test_people_are_told_by_channels_that_there_are():
    plan = PlanRule(component="db", strategies=(Escalate(channels=("mail", "pagr")), UserStrategy(name="tidy")))
    with pytest.raises(ConfigError) as refused:
        check_plans({"plans[2]": plan}, channels=("mail", "pager"), source="file")
    channel, strategy = sorted(refused.value.problems)
    assert channel.startswith("plans[2].strategies[0].channels: there is no channel 'pagr'; there are: mail, pager")
    assert strategy.startswith("plans[2].strategies[1]: no installed package has the entry point 'tidy'")
    with pytest.raises(ConfigError, match=r"plan\('db'\): strategies\[0\].channels: .* there are: none"):
        taken_plan(pack_plan(PlanRule(component="db", strategies=(Escalate(channels=("mail",)),))), ())
