"""The HTTP probe against a real server, plain and with a certificate of our own making."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from actors.health import probes
from actors.health.probes.place import Here, at
from actors.runtime.errors import ConfigError

VALID_DAYS = 10


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/hangs":
            self.server.hung.wait(30)  # pyright: ignore[reportAttributeAccessIssue] - set below
            return
        known = self.headers.get("X-Token") == "t"
        status = int(self.path.strip("/")) if self.path != "/secret" else (200 if known else 403)
        self.send_response(status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"ready")

    do_HEAD = do_GET  # noqa: N815 - the server's word

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, which is good for ten days and signs itself, with its key in one file."""
    x509: Any = pytest.importorskip("cryptography.x509")
    hashes: Any = import_module("cryptography.hazmat.primitives.hashes")
    serialization: Any = import_module("cryptography.hazmat.primitives.serialization")
    ec: Any = import_module("cryptography.hazmat.primitives.asymmetric.ec")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=VALID_DAYS)).add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _serve(server: ThreadingHTTPServer) -> Iterator[str]:
    server.daemon_threads = True
    hung = server.hung = threading.Event()  # pyright: ignore[reportAttributeAccessIssue] - for the handler
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    hung.set()
    server.shutdown()
    server.server_close()
    thread.join(30)


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    yield from _serve(ThreadingHTTPServer(("127.0.0.1", 0), _Handler))


@pytest.fixture(scope="module")
def secure(authority: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from _serve(server)


def test_status_and_body(plain: str) -> None:
    assert probes.http(f"http://{plain}/200")() == (True, "status 200")
    assert probes.http(f"http://{plain}/302")()[0], "a redirection is an answer"
    assert probes.http(f"http://{plain}/503")() == (False, "status 503")
    assert probes.http(f"http://{plain}/503", status=503)()[0]
    assert probes.http(f"http://{plain}/200", status=(201, 204))()[0] is False
    assert probes.http(f"http://{plain}/200", body="ready")()[0]
    assert probes.http(f"http://{plain}/200", body="full")() == (False, "status 200; the body does not hold 'full'")
    assert probes.http(f"http://{plain}/204", method="HEAD")()[0]


def test_headers_are_sent_and_shown_nowhere(plain: str) -> None:
    probe = probes.http(f"http://{plain}/secret", headers={"X-Token": "t"})
    assert probe() == (True, "status 200")
    assert probes.http(f"http://{plain}/secret")() == (False, "status 403")
    assert "X-Token" not in repr(probe)


def test_an_answer_that_does_not_come_is_waited_for_as_long_as_there_is_time(plain: str) -> None:
    with pytest.raises(TimeoutError), at(Here(timeout_s=0.2)):
        probes.http(f"http://{plain}/hangs")()


def test_a_certificate_that_is_trusted_and_lasts(secure: str, authority: Path) -> None:
    trusted = str(authority)
    is_well, told = probes.http(f"https://{secure}/200", ca_file=trusted, tls_days=VALID_DAYS - 1)()
    assert is_well
    assert told.startswith("status 200; its certificate is good for ")
    is_well, told = probes.http(f"https://{secure}/200", ca_file=trusted, tls_days=VALID_DAYS + 20)()
    assert not is_well
    assert told.endswith("30 wanted")


def test_a_certificate_that_nobody_trusts_is_bad(secure: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        probes.http(f"https://{secure}/200")()


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"url": "ftp://x"}, ["url: "]),
        ({"url": "http://me:secret@x"}, ["url: holds a user or password, and would be shown; send it in headers"]),
        ({"url": "http://x:99999"}, ["url: "]),
        ({"url": "http://x:0"}, ["url: "]),
        ({"url": "http://x", "status": 7, "tls_days": 3}, ["status: ", "tls_days: only https:// has a certificate"]),
        ({"url": "http://x", "method": "HEAD", "body": "x"}, ["body: an answer to HEAD has none"]),
        ({"url": "http://x", "method": "POST"}, ["method: "]),
    ],
)
def test_what_is_wrong_is_named_all_at_once(fields: dict[str, Any], problems: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        probes.http(**fields)
    assert len(refused.value.problems) == len(problems)
    assert all(told.startswith(begin) for told, begin in zip(refused.value.problems, problems, strict=True))
    assert "secret" not in str(refused.value)
