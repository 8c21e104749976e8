"""The part of a `Supervisor` handle that is about telling people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.services.handle import ServicesHandle

if TYPE_CHECKING:
    from supervisor.notifying.notifier import Notifier


class NotifierHandle(ServicesHandle):
    """See `Supervisor`."""

    @property
    def notifier(self) -> Notifier:
        """Telling people: by the channels and routes of the configuration's `notifier`."""
        from supervisor.notifying.notifier import Notifier  # noqa: PLC0415 - who tells nobody does not load it
        from supervisor.services.keys import NOTIFIER  # noqa: PLC0415 - the same

        return Notifier(self.service(NOTIFIER), self.config.notifier)
