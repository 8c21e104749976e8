"""A request is carried out once, in one life and over lives."""

from __future__ import annotations

from actors.service.answered import HANDED_ON, REMEMBERED, Answered


def test_a_request_is_known_with_its_answer():
    answered = Answered()
    assert "r" not in answered
    answered.note("r", 5)
    assert "r" in answered
    assert answered.answer_to("r") == 5


def test_a_later_life_knows_what_was_carried_out_and_what_is_in_the_state_it_goes_with():
    answered = Answered()
    answered.note("a", 1)
    assert answered.done() == ("a",)
    assert answered.done("b") == ("a", "b")
    later = Answered(answered.done("b"))
    assert "b" in later
    assert later.answer_to("a") is None
    assert later.done() == ("a", "b")


def test_the_oldest_are_forgotten():
    answered = Answered()
    for number in range(REMEMBERED + 1):
        answered.note(f"r{number}", number)
    assert "r0" not in answered
    assert "r1" in answered
    assert len(answered.done()) == len(answered.done("x")) == HANDED_ON
    assert answered.done("x")[-1] == "x"
