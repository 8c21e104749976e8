"""The part of a `Supervisor` handle that is about levels of service and features."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from supervisor.services.handle import ServicesHandle
from supervisor.services.keys import DEGRADATION

if TYPE_CHECKING:
    from actors.degradation.handle import DegradationHandle
    from supervisor.degradation.pressure import PressureReporter
    from supervisor.tasks.dispatcher import Dispatcher


class DegradationsHandle(ServicesHandle):
    """See `Supervisor`."""

    _dispatchers: dict[str, Dispatcher]
    _pressure: PressureReporter | None = None

    @property
    def degradation(self) -> DegradationHandle:
        """Levels of service and features, the same in every process of the cluster; reading asks nobody."""
        from supervisor.degradation.process import degradation_in  # noqa: PLC0415 - who uses none does not load it

        return degradation_in(self.connect_services(), self.config)

    def degradation_level(self) -> str | None:
        """The level as it lies on this node's board; None where nobody has used degradation."""
        from supervisor.degradation.process import level_on_board  # noqa: PLC0415 - the same

        return level_on_board(self.name)

    def begin_reporting(self) -> None:
        """Tell the degradation's owner how full this handle's queues are, if a rule wants to know."""
        if any(rule.signal == "queue_pressure" for rule in self.config.degradation.rules):
            from supervisor.degradation.pressure import PressureReporter  # noqa: PLC0415 - the same

            client = partial(self.service, DEGRADATION)
            self._pressure = PressureReporter(self._dispatchers, self.config.tasks.queue_limit, client)

    def leave_services(self) -> None:
        """This handle ends."""
        if self._pressure is not None:
            self._pressure.stop()
        super().leave_services()
