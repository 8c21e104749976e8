"""What a charge raises for each thing that the upstream may do; asked of the real upstream."""

from __future__ import annotations

import pickle
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from experiments.demo.charge import PaymentRejected, UpstreamUnavailable, charge
from experiments.demo.upstream_process import UpstreamProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def upstream(seed) -> Iterator[UpstreamProcess]:
    with UpstreamProcess(seed) as process:
        yield process


def test_an_answer_is_the_receipt_and_stays_the_same(upstream, key_of):
    key = key_of("ok", "slow", "ok")
    receipts = [charge(upstream.url, 100, key) for _ in range(3)]
    assert receipts[0]["key"] == key
    assert receipts[0]["amount"] == 100
    assert receipts == [receipts[0]] * 3
    assert upstream.report()["keys"][key]["effects"] == 1


def test_503_is_unavailable(upstream, key_of):
    key = key_of("unavailable")
    with pytest.raises(UpstreamUnavailable, match="overloaded") as caught:
        charge(upstream.url, 100, key)
    assert caught.value.key == key
    assert upstream.report()["keys"][key]["effects"] == 0


@pytest.mark.parametrize("applies", [True, False])
def test_a_drop_is_a_connection_error_whether_or_not_it_had_its_effect(upstream, applies, key_of):
    key = key_of("drop", "ok", applies=applies)
    with pytest.raises(ConnectionError):
        charge(upstream.url, 100, key)
    assert upstream.report()["keys"][key]["effects"] == int(applies)
    charge(upstream.url, 100, key)
    assert upstream.report()["keys"][key]["effects"] == 1


def test_422_is_rejected_each_time(upstream, key_of):
    key = key_of("rejected")
    for _ in range(2):
        with pytest.raises(PaymentRejected, match="card_declined"):
            charge(upstream.url, 100, key)
    assert key in upstream.report()["rejected"]


def test_an_unexpected_status_says_which(upstream, key_of):
    key = key_of("ok", "ok")
    charge(upstream.url, 100, key)
    with pytest.raises(RuntimeError, match=r"HTTP 409 .*charged 100 before"):
        charge(upstream.url, 200, key)


def test_nobody_listening_is_a_connection_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionError):
            charge(f"http://127.0.0.1:{taken.getsockname()[1]}", 100, "k")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", id="shorter than promised"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n{", id="not whole JSON"),
    ],
)
def test_an_answer_that_breaks_off_is_a_connection_error(answer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_once, args=(server, answer), daemon=True).start()
        with pytest.raises(ConnectionError, match="broke off"):
            charge(f"http://127.0.0.1:{server.getsockname()[1]}", 100, "k")


@pytest.mark.parametrize("error", [UpstreamUnavailable("k", "overloaded"), PaymentRejected("k", "card_declined")])
def test_errors_pickle_with_their_data(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (copy.key, copy.reason, str(copy)) == (error.key, error.reason, str(error))


def answer_once(server: socket.socket, answer: bytes) -> None:
    client, _ = server.accept()
    with client:
        received = b""
        while not received.endswith(b"}"):  # what is left unread would turn the close into a reset
            received += client.recv(65_536)
        client.sendall(answer)
