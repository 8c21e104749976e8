"""Which standbys hold the state of the accepted incarnation, and which of them a call has to wait for. Pure.

    attend -> in step --- no answer in time ---> lagging --- its late answer ---> in step
                 |                                  |
                 +---------- it died ---------------+----> forgotten until attended again

A standby that lags is sent nothing while its last answer is still owed: a stopped one would be buried in state.
"""

from __future__ import annotations


class StandbyLedger:
    """The standbys of one accepted incarnation, by actor name."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self._owing: dict[str, int] = {}

    def attend(self, names: tuple[str, ...]) -> None:
        """The leader names the standbys that there are now."""
        self._held = {name: self._held.get(name, 0) for name in names}
        self._owing = {name: number for name, number in self._owing.items() if name in self._held}

    def behind(self, number: int) -> tuple[str, ...]:
        """Those in step that do not hold state `number` yet: to be sent it, and waited for."""
        return tuple(name for name, held in self._held.items() if held < number and name not in self._owing)

    def is_held(self, number: int) -> bool:
        """Whether every standby holds state `number`, or newer: whoever is accepted next then has it."""
        return bool(self._held) and all(held >= number for held in self._held.values())

    def holds(self, name: str, number: int) -> bool:
        """Whether a standby holds state `number`, or newer."""
        return self._held.get(name, -1) >= number

    def acknowledge(self, name: str, number: int) -> None:
        """A standby holds state `number`."""
        if name in self._held:
            self._held[name] = max(self._held[name], number)
        if self._owing.get(name, 0) <= number:
            self._owing.pop(name, None)

    def miss(self, name: str, number: int) -> None:
        """A standby did not answer in time; its answer is owed."""
        if name in self._held:
            self._owing[name] = number

    def refuse(self, name: str) -> None:
        """A standby answered with a failure: it holds nothing newer, and owes nothing."""
        self._owing.pop(name, None)

    def forget(self, name: str) -> None:
        """A standby died."""
        self._held.pop(name, None)
        self._owing.pop(name, None)
