"""What a process and an owner have to say to each other: what goes first, what comes back, what is lost."""

from __future__ import annotations

from actors.breaker import messages as m
from actors.breaker.correspondence import INTRODUCE_AGAIN_S, INTRODUCTIONS_MAX, Correspondence, Letter
from actors.breaker.errors import TooManyBreakersError
from actors.breaker.outbox import CALM_S_MIN
from actors.breaker.parcels import Reply, Request, Said
from actors.breaker.published import Published

GOOD = m.OutcomesReported(reporter="p", generation=1, outcomes=b"\0")
FAILED = m.OutcomesReported(reporter="p", generation=1, outcomes=b"\1")
ASK = m.PermitRequested(holder="p", request=7)
GRANT = m.GrantPermit(holder="p", request=7, permit=1, generation=1, lease_s=1.0)
REQUEST = Request(key="k", name="bank", control=None, settings=b"", who="ann", reason="drill")
SAID = Said(name="bank", published=Published(state="closed", generation=1), settings=b"")


def taken(letters: Correspondence, now: float) -> Letter:
    letter = letters.take(now)
    assert letter is not None
    return letter


def test_a_name_is_introduced_again_until_the_owner_takes_it():
    letters = Correspondence()
    letters.introduce("bank")
    assert taken(letters, 1.0).names == ("bank",)
    assert letters.take(1.0) is None
    assert letters.due_at() == 1.0 + INTRODUCE_AGAIN_S
    assert taken(letters, 1.0 + INTRODUCE_AGAIN_S).names == ("bank",)
    letters.answered(Reply(said=(SAID,)))
    assert letters.due_at() is None
    letters.answered(Reply(unknown=("bank",)))
    assert taken(letters, 2.0).names == ("bank",)
    letters.answered(Reply(refused=(("bank", TooManyBreakersError("bank", limit=1, scope="the cluster")),)))
    assert letters.due_at() is None


def test_introductions_of_one_letter_are_bounded():
    letters = Correspondence()
    for number in range(INTRODUCTIONS_MAX + 1):
        letters.introduce(f"n{number}")
    assert len(taken(letters, 1.0).names) == INTRODUCTIONS_MAX
    assert taken(letters, 1.0).names == (f"n{INTRODUCTIONS_MAX}",)


def test_what_is_urgent_goes_without_what_can_wait():
    letters = Correspondence()
    letters.introduce("calm")
    letters.tell("calm", (GOOD,), 1.0)
    letters.tell("bank", (GOOD, FAILED), 1.0)
    assert letters.is_urgent
    urgent = letters.take_urgent()
    assert urgent is not None
    assert urgent.names == ()
    assert [name for name, _ in urgent.events] == ["bank"]
    assert not letters.is_urgent
    later = taken(letters, 1.0 + CALM_S_MIN)
    assert (later.number, later.names, later.events) == (urgent.number + 1, ("calm",), (("calm", GOOD),))


def test_a_request_goes_at_once_and_once():
    letters = Correspondence()
    letters.request(REQUEST)
    assert letters.due_at() == float("-inf")
    urgent = letters.take_urgent()
    assert urgent is not None
    assert urgent.requests == (REQUEST,)
    assert letters.take_urgent() is None


def test_an_answer_finds_who_asked():
    letters = Correspondence()
    asked = letters.ask("bank", ASK, 1.0)
    letter = letters.take_urgent()
    assert letter is not None
    assert letters.settled(letter.number) == (("bank", ASK),)
    assert letters.settled(letter.number) == ()
    assert letters.asker("bank", GRANT) is asked
    assert letters.asker("bank", GRANT) is None


def test_who_asked_in_a_letter_without_an_answer_is_found_too():
    letters = Correspondence()
    asked = letters.ask("bank", ASK, 1.0)
    letter = taken(letters, 1.0)
    assert letters.unanswered(letters.settled(letter.number)) == [("bank", asked)]
    assert letters.unanswered(letter.events) == []


def test_what_a_dead_owner_was_perhaps_not_told_comes_back():
    letters = Correspondence()
    letters.tell("bank", (FAILED,), 1.0)
    letters.take_urgent()
    letters.tell("bank", (GOOD,), 1.0)
    asked = letters.ask("bank", ASK, 1.0)
    untold, waiting = letters.end()
    assert untold == [("bank", FAILED), ("bank", GOOD), ("bank", ASK)]
    assert waiting == [("bank", asked)]
    assert letters.end() == ([], [])


def test_at_the_end_everything_is_told():
    letters = Correspondence()
    letters.tell("bank", (GOOD,), 1.0)
    letter = letters.take_all()
    assert letter is not None
    assert letter.events == (("bank", GOOD),)
    assert letters.take_all() is None
