"""A process's way to the owners of breakers, over real sockets and boards; only Ray is stood in for."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import ActorUnavailableError

from actors.breaker import messages as m
from actors.breaker.errors import BreakerUnreachableError, CircuitOpenError, TooManyBreakersError
from actors.breaker.gate import ASK_AGAIN_S_MAX
from actors.breaker.handle import BreakerHandle
from actors.breaker.packing import pack_settings
from actors.breaker.parcels import Parcel, Reply
from actors.breaker.places import EARLY_MAX
from actors.breaker.registry import Registry
from actors.breaker.settings import BreakerSettings
from actors.runtime.board import BoardWriter
from actors.runtime.replies import when_answered
from actors.service.near import NearServer, near_address
from supervisor.link import wait_until
from tests.unit.breaker.far import ASK, FAILED, FIRST, GOOD, GRANT, SECOND, WAIT_S, Cluster, Follower, Reference
from tests.unit.breaker.scene import fast
from tests.unit.breaker.test_noticeboard import Boards
from tests.unit.breaker.town import BreakError, bad, good


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.link.stop()
    for server in made.servers:
        server.close()


def outcomes(parcel: Parcel) -> bytes:
    return b"".join(event.outcomes for _, event in parcel.events if isinstance(event, m.OutcomesReported))


@pytest.mark.parametrize("near", [True, False])
def test_an_owner_is_found_introduced_to_and_told_in_order(cluster: Cluster, near: bool):
    owner = cluster.run(FIRST, near=near)
    follower = cluster.attach()
    introduced = owner.hear(lambda parcel: bool(parcel.introductions))
    assert [each.name for each in introduced.introductions] == ["bank"]
    cluster.heard()
    cluster.link.tell("bank", (GOOD,))
    cluster.link.tell("bank", (FAILED,))
    assert outcomes(owner.hear(lambda parcel: bool(parcel.events))) == b"\0\1"
    assert follower.given_back == []
    assert len(owner.exchange.calls) == 0 if near else len(owner.exchange.calls) >= 2


def test_a_name_too_many_is_refused_at_its_first_use_and_the_known_ones_go_on(cluster: Cluster):
    board = BoardWriter(cluster.path(None), names=16, blob_bytes=4096)
    for name in ("breaker/a", "breaker/b", "breaker/c", "route"):
        board.put(name, 1, b"")
    registry = Registry()
    bank = registry.circuit(cluster.link, "bank")
    with pytest.raises(TooManyBreakersError, match="'more' is one too many: the cluster has 4") as refused:
        registry.circuit(cluster.link, "more")
    assert refused.value.setting == "breaker_names_max"
    assert registry.circuit(cluster.link, "bank") is bank
    assert registry.circuit(cluster.link, "c").name == "c"
    cluster.cap = 5
    assert registry.circuit(cluster.link, "more").name == "more"
    board.close(unlink=True)


def test_a_name_that_its_owner_refuses_goes_on_here_is_told_and_asked_again_of_a_successor(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
):
    owner = cluster.run(FIRST)
    owner.full = TooManyBreakersError("bank", limit=4, scope="the cluster", setting="breaker_names_max")
    registry = Registry()
    breaker = BreakerHandle(registry.circuit(cluster.link, "bank", fast()))
    assert wait_until(lambda: "'bank' is one too many" in caplog.text, WAIT_S)
    with pytest.raises(TooManyBreakersError):
        registry.circuit(cluster.link, "bank")
    for _ in range(2):
        with pytest.raises(BreakError):
            breaker.call(bad)
    assert (breaker.state, breaker.owner_heard, breaker.metrics().owner_answered) == ("open", False, False)
    cluster.lose()
    cluster.run(SECOND)
    assert wait_until(lambda: breaker.owner_heard, WAIT_S)
    assert registry.circuit(cluster.link, "bank").name == "bank"


def test_a_definition_after_the_first_use_is_introduced_to_the_owner(cluster: Cluster):
    owner = cluster.run(FIRST)
    owner.settings = BreakerSettings()
    registry = Registry()
    breaker = BreakerHandle(registry.circuit(cluster.link, "bank"))
    (introduced,) = owner.hear(lambda parcel: bool(parcel.introductions)).introductions
    assert introduced.settings is None
    assert wait_until(lambda: breaker.owner_heard, WAIT_S)
    wanted = fast(failure_rate=0.2)
    registry.circuit(cluster.link, "bank", wanted)
    (introduced,) = owner.hear(lambda parcel: bool(parcel.introductions)).introductions
    assert introduced.settings == pack_settings(wanted)


def test_a_definition_before_the_owner_is_heard_is_what_the_process_judges_by(cluster: Cluster):
    registry = Registry()
    breaker = BreakerHandle(registry.circuit(cluster.link, "bank"))
    breaker.call(good)
    registry.circuit(cluster.link, "bank", fast())
    for _ in range(2):
        with pytest.raises(BreakError):
            breaker.call(bad)
    assert breaker.state == "open"


def test_an_owner_that_is_missing_is_wanted_and_what_is_told_meanwhile_comes_back(cluster: Cluster):
    follower = cluster.attach()
    assert wait_until(lambda: cluster.wanted == ["bank"] * len(cluster.wanted) != [], WAIT_S)
    cluster.link.tell("bank", (FAILED,))
    assert follower.given_back == [FAILED]
    with pytest.raises(BreakerUnreachableError):
        cluster.link.request_permit("bank", ASK).result(WAIT_S)
    cluster.run(FIRST)
    cluster.heard()


def test_what_is_told_before_the_owner_is_found_waits_for_it_where_the_board_knows_the_breaker(
    cluster: Cluster, tmp_path: Path
):
    """Its word is no news then, which would have the window told: the first calls of a new process would be lost."""
    boards = Boards(tmp_path)
    boards.say(boards.agent, "closed", 1, name="bank")
    follower = cluster.attach()
    assert wait_until(lambda: bool(follower.words), WAIT_S), "a circuit reads what lies there before its first call"
    for _ in range(EARLY_MAX):
        cluster.link.tell("bank", (FAILED,))
    assert follower.given_back == []
    cluster.link.tell("bank", (FAILED,))
    assert follower.given_back == [FAILED], "and no more of them than there is room for"
    owner = cluster.run(FIRST)
    assert outcomes(owner.hear(lambda parcel: bool(parcel.events))) == b"\1" * EARLY_MAX
    cluster.heard()
    cluster.lose()
    assert wait_until(lambda: not follower.heard, WAIT_S)
    cluster.link.tell("bank", (FAILED,))
    assert follower.given_back == [FAILED] * 2, "what a lost owner was not told is of a generation that is over"


def test_what_cannot_wait_is_sent_though_the_thread_that_tells_is_held_up(cluster: Cluster):
    owner = cluster.run(FIRST)
    cluster.attach()
    cluster.heard()
    held = cluster.link._owners[FIRST].sending
    thread = cluster.link._thread
    assert thread is not None
    cluster.link._thread = None  # so that `stop` does not wait for it
    cluster.link._stopped = True
    cluster.link.tell("bank", (FAILED,))
    assert outcomes(owner.hear(lambda parcel: bool(parcel.events))) == b"\1"
    with held:  # somebody else is sending: nobody waits for it
        cluster.link.tell("bank", (FAILED,))
    assert owner.told.empty()


def test_a_permit_is_asked_for_and_granted(cluster: Cluster):
    cluster.run(FIRST)
    cluster.attach()
    cluster.heard()
    assert cluster.link.request_permit("bank", ASK).result(WAIT_S) == GRANT


def test_what_a_person_asks_arrives_over_the_socket_at_once(cluster: Cluster):
    owner = cluster.run(FIRST)
    cluster.attach()
    cluster.heard()
    asked = m.ControlRequested(action="force_open", who="ann", reason="drill")
    answer = cluster.link.control("bank", asked)
    (request,) = owner.hear(lambda parcel: bool(parcel.requests)).requests
    assert (request.name, request.control) == ("bank", asked)
    with pytest.raises(RuntimeError, match="answers nobody"):
        answer.result(WAIT_S)


def test_an_owner_that_forgot_a_name_is_introduced_again(cluster: Cluster):
    owner = cluster.run(FIRST)
    cluster.attach()
    cluster.heard()
    while not owner.told.empty():
        owner.told.get()
    owner.reply = Reply(unknown=("bank",))
    cluster.link.tell("bank", (FAILED,))
    owner.hear(lambda parcel: bool(parcel.events))
    owner.reply = Reply()
    assert owner.hear(lambda parcel: bool(parcel.introductions))


def test_a_dead_owner_is_told_of_once_and_its_successor_hears_of_the_permits_that_are_out(cluster: Cluster):
    cluster.run(FIRST)
    follower = cluster.attach()
    cluster.heard()
    cluster.link.request_permit("bank", ASK).result(WAIT_S)
    cluster.lose()
    assert wait_until(lambda: not follower.heard, WAIT_S)
    cluster.link.tell("bank", (FAILED,))
    assert follower.given_back == [FAILED]
    successor = cluster.run(SECOND)
    (introduced,) = successor.hear(lambda parcel: bool(parcel.introductions)).introductions
    assert introduced.kept is not None
    kept, _ = pickle.loads(introduced.kept)
    assert [lease.permit for lease in kept.leases] == [GRANT.permit]
    cluster.heard()
    assert follower.lost_times == 1


def test_a_broken_socket_is_no_death_and_ray_is_used_instead(cluster: Cluster):
    owner = cluster.run(FIRST)
    follower = cluster.attach()
    cluster.heard()
    cluster.servers.pop().close()
    line = cluster.link._owners[FIRST].near
    assert wait_until(lambda: line is not None and not line.is_open, WAIT_S)
    cluster.link.tell("bank", (FAILED,))
    assert wait_until(lambda: bool(owner.exchange.calls), WAIT_S)
    assert follower.heard
    assert follower.lost_times == 0
    cluster.servers.append(NearServer(near_address(cluster.path(None), FIRST), owner.take))
    assert wait_until(lambda: (line := cluster.link._owners[FIRST].near) is not None and line.is_open, WAIT_S)
    through_ray = len(owner.exchange.calls)
    cluster.link.tell("bank", (FAILED,))
    assert outcomes(owner.hear(lambda parcel: bool(parcel.events))) == b"\1"
    assert outcomes(owner.hear(lambda parcel: bool(parcel.events))) == b"\1"
    assert len(owner.exchange.calls) == through_ray, "a new line is made as soon as there can be one"


def test_an_owner_out_of_reach_is_watched_again(cluster: Cluster):
    owner = cluster.run(FIRST)
    follower = cluster.attach()
    cluster.heard()
    owner.watch.calls[0].answer(ActorUnavailableError("cut off", None))
    assert wait_until(lambda: len(owner.watch.calls) > 1, WAIT_S)
    assert follower.heard


def test_a_forked_child_tells_nobody(cluster: Cluster):
    cluster.run(FIRST)
    cluster.attach()
    cluster.heard()
    parents, thread = cluster.link._near, cluster.link._thread
    cluster.link.forked("p", "child")
    follower = Follower()
    cluster.link.attach("bank", fast(), follower, process="child")
    cluster.link.tell("bank", (FAILED,))
    assert follower.given_back == [FAILED]
    with pytest.raises(BreakerUnreachableError):
        cluster.link.control("bank", m.ControlRequested(action="reset", who="a", reason="b")).result(WAIT_S)
    parents.close()
    assert thread is not None


def test_a_forked_child_that_opened_itself_recovers_by_its_own_probes(cluster: Cluster):
    """It has no owner to ask, and never will have."""
    registry = Registry()
    breaker = BreakerHandle(registry.circuit(cluster.link, "bank", fast(open_s=0.2, half_open_permits=2)))
    breaker.call(good)
    cluster.link._finder.stop()  # the parent's
    registry.forked()
    for _ in range(2):
        with pytest.raises(BreakError):
            breaker.call(bad)
    with pytest.raises(CircuitOpenError, match="open in this process, by its own calls; next probe in") as refused:
        breaker.call(good)
    assert refused.value.owner_heard
    assert wait_until(lambda: breaker.state == "half_open", WAIT_S)
    probes = [breaker.acquire() for _ in range(2)]
    with pytest.raises(CircuitOpenError, match="its probes are out"):
        breaker.call(good)
    for probe in probes:
        assert probe.is_probe
        probe.success()
    assert (breaker.state, breaker.call(good)) == ("closed", "fine")


def test_who_probes_while_the_owner_is_not_heard_is_told_so_and_asks_seldom(cluster: Cluster):
    registry = Registry()
    breaker = BreakerHandle(registry.circuit(cluster.link, "bank", fast(open_s=0.1)))
    for _ in range(2):
        with pytest.raises(BreakError):
            breaker.call(bad)
    assert wait_until(lambda: breaker.state == "half_open", WAIT_S)
    with pytest.raises(CircuitOpenError, match="and its owner is not heard: nobody probes until it is") as refused:
        breaker.call(good)
    assert not refused.value.owner_heard
    assert not pickle.loads(pickle.dumps(refused.value)).owner_heard
    assert refused.value.retry_after_s == ASK_AGAIN_S_MAX


def test_the_stand_in_for_a_reference_is_used_as_rays_own():
    heard: list[Any] = []
    reference = Reference()
    when_answered(reference, heard.append)
    reference.answer(1)
    assert heard == [1]


def test_subscribers_hear_once_that_the_owner_is_lost_and_once_that_it_is_heard_again(cluster: Cluster):
    cluster.run(FIRST)
    breaker = BreakerHandle(Registry().circuit(cluster.link, "bank", fast()))
    assert wait_until(lambda: breaker.owner_heard, WAIT_S)

    async def listen() -> list[str]:
        async with asyncio.timeout(WAIT_S):
            return [(await anext(async_stream)).event, (await anext(async_stream)).event]

    with breaker.subscribe() as stream, breaker.subscribe() as async_stream:
        cluster.lose()
        lost = stream.next(WAIT_S)
        cluster.run(SECOND)
        heard = stream.next(WAIT_S)
        assert stream.next(0) is None
        assert asyncio.run(listen()) == ["owner_lost", "owner_heard"]
    assert lost is not None
    assert heard is not None
    assert (lost.event, heard.event) == ("owner_lost", "owner_heard")
