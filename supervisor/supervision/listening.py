"""Heartbeats: whom to ask, whom to look at, and what this supervisor's own absence means. Pure."""

from __future__ import annotations

from supervisor import messages as m
from supervisor.supervision.state import State
from supervisor.supervision.suspicion import answered, begin_look, is_heard
from supervisor.tree import Child, Life


class Listening:
    """Asks the living whether they live."""

    def __init__(self, state: State) -> None:
        self._s = state

    def on_heartbeat(self, event: m.HeartbeatAnswered) -> None:
        for key, incarnation in ((event.key, event.incarnation), *event.company):
            found = self._s.life(key, incarnation)
            if found is not None and is_heard(found[0].plan, found[1]):
                self._answered(*found)

    def _answered(self, child: Child, life: Life) -> None:
        now, plan = self._s.now, child.plan
        answered(life, now)
        if life.status == "starting":  # being adopted: it lives, and is watched until it is ready
            self._s.watch(child, life, now + plan.hang_timeout_s)
        elif life.asked:  # a suspect is asked more than once, and may answer as often
            life.asked = False
            self._s.ask_later(child, life, now + plan.heartbeat_s)

    def ask(self, child: Child, life: Life) -> None:
        """It is time for the next question, which is also that to those in the same process who are asked soon."""
        if self._s.now < life.ask_at or not self._may_ask(child, life):
            return
        company: list[tuple[str, int]] = []
        for subject in self._s.lives_in.get(life.host, ()):
            found = self._s.life(*subject)
            if found is not None and found[1] is not life and self._joins(*found):
                self._begin_to_wait(*found)
                company.append(subject)
        self._begin_to_wait(child, life)
        self._s.emit(m.AskHeartbeat(key=child.plan.key, incarnation=life.incarnation, company=tuple(company)))

    def _joins(self, child: Child, life: Life) -> bool:
        return self._may_ask(child, life) and life.ask_at - self._s.now <= child.plan.heartbeat_s / 2

    @staticmethod
    def _may_ask(child: Child, life: Life) -> bool:
        return life.status != "starting" and not life.asked and is_heard(child.plan, life)

    def _begin_to_wait(self, child: Child, life: Life) -> None:
        life.asked = True
        self._s.watch(child, life, life.answered_at + child.plan.hang_timeout_s)

    def look(self, child: Child, life: Life) -> None:
        """Silence is a reason to look, and to ask again: the question or its answer may have been lost."""
        if life.suspect_at > self._s.now:  # it answered since this was set, and is judged later
            return
        life.suspect_at = 0.0
        if not is_heard(child.plan, life) or life.location is None or not life.asked:
            return
        if not begin_look(child.plan, life, self._s.now):
            self._s.watch(child, life, max(life.answered_at + child.plan.hang_timeout_s, life.look_at))
            return
        key, where = child.plan.key, life.location
        self._s.watch(child, life, life.look_at)
        self._s.emit(
            m.AskHeartbeat(key=key, incarnation=life.incarnation),
            m.LookAtProcess(key=key, incarnation=life.incarnation, process=where.process, node_id=where.node_id),
        )

    def listen_anew(self) -> None:
        """This supervisor was stopped or starved: it asks again, and waits for the answers as long as ever."""
        now = self._s.now
        for child in self._s.children.values():
            for life in child.lives.values():
                if not is_heard(child.plan, life):
                    continue
                answered(life, now)
                if life.asked:
                    self._s.watch(child, life, now + child.plan.hang_timeout_s)
                    self._s.emit(m.AskHeartbeat(key=child.plan.key, incarnation=life.incarnation))
