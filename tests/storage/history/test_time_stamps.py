"""Time stamps of RFC 3161, from a service that openssl is, and from services that are not to be trusted."""

from __future__ import annotations

import io
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app.settings import Settings
from app.storage.database import Database
from app.storage.history import heads
from app.storage.history.heads import Signed
from app.storage.history.time_stamps import (
    RESPONSE_BYTES_MAX,
    NoStamp,
    TimeStampWitness,
    der,
    elements,
    integer,
    request_for,
    stamped_at,
    stamps_in,
)
from app.storage.history.witness import WitnessFailed
from app.storage.history.witnesses import witnesses_of
from app.storage.scope import set_scope
from tests.features.client import a_world
from tests.storage.history.making import a_keeper, a_town

CONFIG = """
[tsa]
default_tsa = service
[service]
serial = {folder}/serial
signer_cert = {folder}/cert.pem
certs = {folder}/cert.pem
signer_key = {folder}/key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def openssl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], capture_output=True, check=False)


class Service:
    """openssl as a time stamp authority of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/key.pem")
        extension = ("-addext", "extendedKeyUsage=critical,timeStamping")
        made = openssl("req", "-x509", *key, "-out", f"{folder}/cert.pem", "-days", "2", "-subj", "/CN=TSA", *extension)
        assert made.returncode == 0, made.stderr

    def answer(self, request: bytes) -> bytes:
        asked, answered = self.folder / "request.tsq", self.folder / "response.tsr"
        asked.write_bytes(request)
        config = ("-config", f"{self.folder}/tsa.cnf")
        done = openssl("ts", "-reply", "-queryfile", str(asked), *config, "-out", str(answered))
        assert done.returncode == 0, done.stderr
        return answered.read_bytes()

    def accepts(self, data: Path, stamp: Path) -> bool:
        trusted = ("-CAfile", f"{self.folder}/cert.pem")
        return openssl("ts", "-verify", "-data", str(data), "-in", str(stamp), *trusted).returncode == 0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    assert shutil.which("openssl")
    return Service(tmp_path_factory.mktemp("tsa"))


Answer = Callable[[bytes], bytes]


@contextmanager
def serving(answer: Answer, *, status: int = 200, silent: threading.Event | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the server calls it by this name
            assert self.headers["Content-Type"] == "application/timestamp-query"
            request = self.rfile.read(int(self.headers["Content-Length"]))
            if silent is not None:
                silent.wait()
                return
            content = answer(request)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa"
    finally:
        if silent is not None:
            silent.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def signed(sqlite_database: Database, tmp_path: Path) -> Signed:
    town, keeper = a_town(sqlite_database, "A"), a_keeper(sqlite_database, tmp_path)
    town.work()
    keeper.sign(town.id, at=datetime(2027, 3, 1, tzinfo=UTC))
    with sqlite_database.read() as session:
        set_scope(session, town.id)
        head = heads.newest(session)
    assert head is not None
    return head


def test_a_head_gets_a_stamp_that_openssl_accepts(service: Service, signed: Signed, tmp_path: Path):
    asked: list[bytes] = []

    def answer(request: bytes) -> bytes:
        asked.append(request)
        return service.answer(request)

    folder = tmp_path / "timestamps"
    with serving(answer) as url:
        witness = TimeStampWitness(url, folder)
        witness.receive("A", signed)
        witness.receive("A", signed)  # the same head may come twice

    [stamp] = stamps_in(folder, signed.head.municipality)
    head, file = stamp.files
    assert (stamp.number, head.read_bytes()) == (0, signed.text() + b"\n")
    assert abs(stamp.at - datetime.now(UTC)) < timedelta(hours=1)
    assert service.accepts(head, file)
    assert len(asked) == 1
    head.write_bytes(head.read_bytes().replace(b'"size":1', b'"size":2'))
    assert not service.accepts(head, file)


def test_openssl_reads_what_is_asked(tmp_path: Path):
    (tmp_path / "q.tsq").write_bytes(request_for(b"head", 0xFEDCBA9876543210))
    told = openssl("ts", "-query", "-in", str(tmp_path / "q.tsq"), "-text").stdout.decode()
    assert "Hash Algorithm: sha256" in told
    assert "Nonce: 0xFEDCBA9876543210" in told
    assert "Certificate required: yes" in told


def test_stamps_are_on_the_page_and_go_along(service: Service, sqlite_database: Database, tmp_path: Path):
    world = a_world(sqlite_database, data_dir=tmp_path)
    emma = world.browser("emma")
    assert emma.get("/geschiedenis/tijdstempels", follow_redirects=False).status_code == 303
    world.a_run(world.browser("anna"))
    with world.reading() as session:
        head = heads.newest(session)
    assert head is not None, "the first change is signed at once"
    with serving(service.answer) as url:
        TimeStampWitness(url, tmp_path / "timestamps").receive("Zonnedijk", head)

    page = emma.get("/geschiedenis").text
    assert "Een dienst voor tijdstempels zegt dat bewijs 0 er was op" in page
    with zipfile.ZipFile(io.BytesIO(emma.get("/geschiedenis/tijdstempels").content)) as archive:
        assert archive.namelist() == ["head-00000000.json", "head-00000000.tsr"]
        assert archive.read("head-00000000.json") == head.text() + b"\n"
    assert world.browser("anna").get("/geschiedenis/tijdstempels").status_code == 403
    assert world.browser("ilse").get("/geschiedenis/tijdstempels", follow_redirects=False).status_code == 303


REJECTION = der(0x30, der(0x30, integer(2)))


def test_a_service_that_gives_no_stamp_is_a_witness_that_failed(service: Service, signed: Signed, tmp_path: Path):
    data, folder = signed.text() + b"\n", tmp_path / "timestamps"
    ways: dict[str, tuple[Answer, str]] = {
        "another head": (lambda _: service.answer(request_for(b"another", 1)), "something else"),
        "another request": (lambda _: service.answer(request_for(data, 1)), "another request"),
        "a rejection": (lambda _: REJECTION, "refused, with status 2"),
        "garbage": (lambda _: b"<html>Welkom</html>", "time stamp"),
        "nothing": (lambda _: b"", "form"),
        "far too much": (lambda _: b"0" * (RESPONSE_BYTES_MAX + 1), "more than"),
        "no signature": (lambda _: der(0x30, der(0x30, integer(0))), "form"),
        "half of it": (lambda request: service.answer(request)[:500], "breaks off"),
    }
    for name, (answer, reason) in ways.items():
        with serving(answer) as url, pytest.raises(WitnessFailed, match=reason):
            TimeStampWitness(url, folder).receive("A", signed)
        assert stamps_in(folder, signed.head.municipality) == [], name
    with serving(service.answer, status=503) as url, pytest.raises(WitnessFailed, match="503"):
        TimeStampWitness(url, folder).receive("A", signed)
    with serving(service.answer, silent=threading.Event()) as url, pytest.raises(WitnessFailed, match="timed out"):
        TimeStampWitness(url, folder, timeout=0.2).receive("A", signed)
    with pytest.raises(WitnessFailed, match="cannot be asked"):
        TimeStampWitness(url, folder).receive("A", signed)


def test_no_damage_to_a_stamp_is_more_than_a_refusal(service: Service):
    """Every byte cut off, and every byte of what was read changed: refused or still right, and never a crash."""
    response = service.answer(request_for(b"head", 77))
    assert stamped_at(response, b"head", 77) > datetime(2026, 1, 1, tzinfo=UTC)
    for size in range(0, len(response), 7):
        with pytest.raises(NoStamp):
            stamped_at(response[:size], b"head", 77)
    for at in range(0, len(response), 3):
        for value in (0x00, 0x80, 0xFF):
            damaged = response[:at] + bytes([value]) + response[at + 1 :]
            try:
                stamped_at(damaged, b"head", 77)
            except NoStamp:
                continue


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**63, 2**64 - 1])
def test_integers_are_written_and_read_back(number: int):
    [element] = elements(integer(number))
    assert int.from_bytes(element.content, "big", signed=True) == number


def test_settings_name_the_service(tmp_path: Path):
    chosen = Settings(data_dir=tmp_path, time_stamp_url="https://tsa.example.nl/tsr")
    [witness] = witnesses_of(chosen)
    assert witness == TimeStampWitness("https://tsa.example.nl/tsr", tmp_path / "timestamps")
    with pytest.raises(ValueError, match="time_stamp_url"):
        Settings(time_stamp_url="file:///etc/passwd")
