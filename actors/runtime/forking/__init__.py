"""Worker processes of Ray that are forked from one which has loaded Ray already, instead of started anew.

A worker process spends 0.6 s of a processor importing Ray and us before it does anything; forked it spends 0.05 s.

    raylet --starts--> shim --asks--> server (has imported all that a worker needs, and runs one thread)
                        |               |
                        |               +--forks--> the worker, with the shim's arguments, environment and files
                        +-- nobody there, or no: becomes an ordinary worker, as if there were no shim

Ray starts its workers through a file whose place is read when a node is started; `forked_workers` puts `shim` there.
The first shim of a node and job starts the server, which ends with its raylet. Both files are run by path in processes
that have not imported us: they use the standard library, and the server Ray.
"""

from actors.runtime.forking.switch import SWITCH_OFF, forked_workers

__all__ = ["SWITCH_OFF", "forked_workers"]
