"""Calls between processes of one node over a socket, for what cannot wait for Ray: 0.1 ms, and a tenth of the work.

    near callers --frame: length 4, octets--> one server per actor --frame--> back, in order

An actor serves its node beside its Ray methods. Who finds no socket of it, because the actor is on another node or the
connection broke, calls it through Ray. A broken connection says nothing of a death: what was sent may have been heard.

The address has no file: it goes with the process that holds it. Both sides make sure that the other is of this user.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

FRAME_BYTES_MAX = 64 << 20
SEND_PATIENCE_S = 0.5
"""How long the other side may leave what it is sent unread; then the connection is given up."""

CONNECTIONS_MAX = 512

_LENGTH = struct.Struct("!I")
_PEER = struct.Struct("3i")
_CHUNK = 1 << 16

Answered = Callable[[bytes | ConnectionError], None]


def near_address(board: Path, actor: str) -> bytes:
    """Where an actor serves its node.

    Args:
        board: The file of the node's board: the same for all processes of the node, and for no others.
        actor: Its full name, incarnation included.
    """
    return b"\0ray-supervisor/" + blake2b(f"{board}\0{actor}".encode(), digest_size=20).hexdigest().encode()


class NearServer:
    """Answers, on one thread of its own, so that what each caller says is taken in order.

    Args:
        address: See `near_address`.
        answer: Gives the answer to what was sent; what it raises ends that caller's connection.
    """

    def __init__(self, address: bytes, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(address)
        self._listener.listen(64)
        self._listener.settimeout(0.0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._stopped = False
        self._thread = threading.Thread(target=self._serve, name="near-server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Serve no more."""
        self._stopped = True
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.connect(self._listener.getsockname())
        self._thread.join(timeout=1.0)

    def _serve(self) -> None:
        while not self._stopped:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.data, _Frames):
                    self._hear(key.data)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, _Frames):
                key.data.socket.close()
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            caller, _ = self._listener.accept()
            if _is_ours(caller) and len(self._selector.get_map()) <= CONNECTIONS_MAX:
                caller.settimeout(SEND_PATIENCE_S)
                self._selector.register(caller, selectors.EVENT_READ, _Frames(caller))
            else:
                caller.close()

    def _hear(self, frames: _Frames) -> None:
        try:
            for frame in frames.read():
                send(frames.socket, self._answer(frame))
        except Exception:  # noqa: BLE001 - whatever is wrong with one caller ends its connection, and no other
            self._selector.unregister(frames.socket)
            frames.socket.close()


class NearCalls:
    """One process's calls to near actors. Answers come on one thread, in the order of each actor's calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread: threading.Thread | None = None
        self._stopped = False

    def connect(self, address: bytes) -> NearLine | None:
        """A line to an actor, or None: it does not serve this node."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(SEND_PATIENCE_S)
        try:
            line.connect(address)
            if not _is_ours(line):
                raise PermissionError(f"process {_peer(line)[0]} is another user's")
        except OSError:
            line.close()
            return None
        with self._lock:
            if self._stopped:
                line.close()
                return None
            made = NearLine(line)
            self._selector.register(line, selectors.EVENT_READ, made)
            if self._thread is None:
                self._thread = threading.Thread(target=self._hear, name="near-calls", daemon=True)
                self._thread.start()
        self._wake.send(b"\0")
        return made

    def close(self) -> None:
        """Hear no more answers."""
        with self._lock:
            self._stopped = True
        self._wake.send(b"\0")
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=1.0)

    def _hear(self) -> None:
        while not self._stopped:
            for key, _ in self._selector.select():
                if isinstance(key.data, NearLine):
                    self._take(key.data)
                else:
                    self._woken.recv(_CHUNK)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, NearLine):
                self._drop(key.data, "this process hears no more answers")

    def _take(self, line: NearLine) -> None:
        try:
            for frame in line.frames.read():
                line.answered(frame)
        except (OSError, ValueError) as error:
            self._drop(line, str(error))

    def _drop(self, line: NearLine, reason: str) -> None:
        with self._lock:
            self._selector.unregister(line.frames.socket)
        line.lost(reason)


class NearLine:
    """One process's connection to one actor."""

    def __init__(self, line: socket.socket) -> None:
        self.frames = _Frames(line)
        self._sending = threading.Lock()
        """Not held while answers are taken: the other side may have to be rid of them before it reads on."""
        self._waiting: deque[Answered] = deque()
        self.is_open = True

    @property
    def unanswered(self) -> int:
        """How many calls wait for their answers."""
        return len(self._waiting)

    def ask(self, data: bytes, answered: Answered) -> bool:
        """Send a call; False: the line is broken, and nothing was sent.

        Args:
            data: At most 64 MiB.
            answered: Called once, with the answer or with a `ConnectionError` when none will come; from any thread.
        """
        with self._sending:
            if not self.is_open or len(data) > FRAME_BYTES_MAX:
                return False
            try:
                self._waiting.append(answered)
                send(self.frames.socket, data)
            except BaseException as error:  # part of it may have gone: who reads sees the end, and tells those who wait
                self.is_open = False
                with suppress(OSError):
                    self.frames.socket.shutdown(socket.SHUT_RDWR)
                if not isinstance(error, OSError):
                    raise  # the thread is a user's, and was interrupted
        return True

    def answered(self, frame: bytes) -> None:
        """An answer came."""
        if self._waiting:
            self._waiting.popleft()(frame)

    def lost(self, reason: str) -> None:
        """No more will come."""
        with self._sending:
            self.is_open = False
            waiting, self._waiting = self._waiting, deque()
            self.frames.socket.close()
        for callback in waiting:
            callback(ConnectionError(reason))


class _Frames:
    """What comes over a socket, cut into frames."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._buffer = bytearray()

    def read(self) -> list[bytes]:
        """The frames that are whole by now, of a socket that has something.

        Raises:
            ConnectionError: The other side has ended.
            OSError: The connection broke.
            ValueError: A frame is longer than any may be.
        """
        data = self.socket.recv(_CHUNK)
        if not data:
            raise ConnectionError("the other side has ended the connection")
        self._buffer += data
        frames: list[bytes] = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > FRAME_BYTES_MAX:
                raise ValueError(f"a frame of {length} bytes, and {FRAME_BYTES_MAX} is the most")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            frames.append(bytes(self._buffer[_LENGTH.size : end]))
            del self._buffer[:end]
        return frames


def send(connection: socket.socket, data: bytes) -> None:
    """Send one frame.

    Raises:
        OSError: The connection broke, or the other side did not read for half a second.
    """
    connection.sendall(_LENGTH.pack(len(data)) + data)


def _peer(connection: socket.socket) -> tuple[int, int, int]:
    """The other side's pid, uid and gid."""
    pid, uid, gid = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return pid, uid, gid


def _is_ours(connection: socket.socket) -> bool:
    return _peer(connection)[1] == os.geteuid()
