"""Of the network: does it connect, does the name resolve."""

from __future__ import annotations

import socket

from pydantic import Field

from actors.health.probes.place import ReadyProbe, Said, here
from actors.runtime.clock import SYSTEM_CLOCK


class TcpProbe(ReadyProbe):
    """Bad when nobody takes a connection."""

    host: str = Field(min_length=1, description="Its name or address.")
    port: int = Field(ge=1, le=65535, description="Its port.")

    def __call__(self) -> Said:
        began = SYSTEM_CLOCK.now()
        with socket.create_connection((self.host, self.port), timeout=here().timeout_s):
            return True, f"connected to {self.host}:{self.port} in {1000 * (SYSTEM_CLOCK.now() - began):.1f} ms"


class DnsProbe(ReadyProbe):
    """Bad when a name does not resolve, or not to what it should."""

    name: str = Field(min_length=1, max_length=253, description="The name.")
    address: str | None = Field(default=None, description="One address that it must have; None: any.")

    def __call__(self) -> Said:
        found = sorted({str(each[4][0]) for each in socket.getaddrinfo(self.name, None, type=socket.SOCK_STREAM)})
        is_well = self.address is None or self.address in found
        wanted = "" if is_well else f", not {self.address}"
        return is_well, f"{self.name} is {', '.join(found[:5])}{wanted}"
