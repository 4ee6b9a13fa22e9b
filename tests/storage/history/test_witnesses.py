"""Every signed head reaches every witness, sooner or later; a witness that fails stops nobody."""

from __future__ import annotations

import email
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.settings import Settings
from app.storage.database import Database
from app.storage.history.heads import Signed, read_signed
from app.storage.history.keeper import HistoryKeeper
from app.storage.history.witness import WitnessFailed
from app.storage.history.witnesses import FolderWitness, MailWitness, witnesses_of
from tests.storage.history.making import Clock, Town, a_keeper, a_town
from tests.storage.rows import NOW


@dataclass
class Fragile:
    """A witness that can be away."""

    name: str = "fragile"
    is_away: bool = False
    received: list[int] = field(default_factory=list)

    def receive(self, municipality: str, signed: Signed) -> None:
        if self.is_away:
            raise WitnessFailed("on holiday")
        self.received.append(signed.head.number)


def work_and_sign(town: Town, keeper: HistoryKeeper) -> None:
    town.work()
    keeper.sign(town.id, at=NOW)


# --- handing over ----------------------------------------------------------------------------------------------------


def test_witness_gets_every_head_once(database: Database, tmp_path: Path):
    witness, town = Fragile(), a_town(database, "A")
    keeper = a_keeper(database, tmp_path, witness)
    for _ in range(3):
        work_and_sign(town, keeper)
    keeper.sign(town.id, at=NOW)
    assert witness.received == [0, 1, 2]


def test_witness_that_was_away_gets_what_it_missed_with_the_next_head(database: Database, tmp_path: Path):
    fragile, other, town = Fragile(), Fragile("other"), a_town(database, "A")
    keeper = a_keeper(database, tmp_path, fragile, other)
    work_and_sign(town, keeper)
    fragile.is_away = True
    with capture_logs() as logs:
        work_and_sign(town, keeper)
    assert [(line["event"], line["witness"], line["reason"]) for line in logs] == [
        ("witness_failed", "fragile", "on holiday")
    ]
    assert other.received == [0, 1]
    fragile.is_away = False
    work_and_sign(town, keeper)
    assert fragile.received == other.received == [0, 1, 2]


def test_witness_with_a_fault_of_its_own_stops_nobody(database: Database, tmp_path: Path):
    class Broken:
        name = "broken"

        def receive(self, municipality: str, signed: Signed) -> None:
            raise ZeroDivisionError

    town, after = a_town(database, "A"), Fragile("after")
    with capture_logs() as logs:
        work_and_sign(town, a_keeper(database, tmp_path, Broken(), after))
    assert [line["event"] for line in logs] == ["witness_failed"]
    assert after.received == [0]


def test_witness_in_the_background_is_told_all_the_same(sqlite_database: Database, tmp_path: Path):
    witness, town = Fragile(), a_town(sqlite_database, "A")
    keeper = HistoryKeeper(sqlite_database, tmp_path / "key.pem", [witness], clock=Clock(), in_background=True)
    work_and_sign(town, keeper)
    keeper.wait()
    assert witness.received == [0]


# --- a folder --------------------------------------------------------------------------------------------------------


def test_folder_gets_a_file_per_head_that_reads_back(database: Database, tmp_path: Path):
    town = a_town(database, "A")
    keeper = a_keeper(database, tmp_path, FolderWitness(tmp_path / "witness"))
    work_and_sign(town, keeper)
    work_and_sign(town, keeper)
    files = sorted((tmp_path / "witness" / str(town.id)).iterdir())
    assert [path.name for path in files] == ["head-00000000.json", "head-00000001.json"]
    assert [read_signed(path.read_bytes().strip()).head.size for path in files] == [1, 2]


def test_folder_never_replaces_a_head_and_says_so(database: Database, tmp_path: Path):
    town, witness = a_town(database, "A"), Fragile()
    keeper = a_keeper(database, tmp_path, FolderWitness(tmp_path / "witness"), witness)
    path = tmp_path / "witness" / str(town.id) / "head-00000000.json"
    path.parent.mkdir(parents=True)
    path.write_text("an earlier history", "utf-8")
    with capture_logs() as logs:
        work_and_sign(town, keeper)
    assert "holds another head" in logs[0]["reason"]
    assert path.read_text("utf-8") == "an earlier history"
    assert witness.received == [0]


def test_folder_that_cannot_be_written_is_named(database: Database, tmp_path: Path):
    (tmp_path / "witness").write_text("a file", "utf-8")
    town = a_town(database, "A")
    with capture_logs() as logs:
        work_and_sign(town, a_keeper(database, tmp_path, FolderWitness(tmp_path / "witness")))
    assert "cannot be written" in logs[0]["reason"]


# --- mail ------------------------------------------------------------------------------------------------------


@dataclass
class MailServer:
    """As much of SMTP as one mail takes, on the loopback; `refuses`: every recipient."""

    refuses: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream) -> None:
        def say(line: str) -> None:
            stream.write(f"{line}\r\n".encode())
            stream.flush()

        say("220 test")
        for line in stream:
            match line[:4].upper():
                case b"EHLO" | b"HELO" | b"MAIL" | b"RSET":
                    say("250 ok")
                case b"RCPT":
                    say("550 no such user" if self.refuses else "250 ok")
                case b"DATA":
                    say("354 go on")
                    lines = iter(stream.readline, b".\r\n")
                    content = b"".join(one[1:] if one.startswith(b".") else one for one in lines)
                    self.mails.append(email.message_from_bytes(content, policy=default))
                    say("250 ok")
                case b"QUIT":
                    say("221 bye")
                    return
                case _:
                    say("500 what")


@contextmanager
def a_mail_server(*, refuses: bool = False) -> Iterator[MailServer]:
    server = MailServer(refuses)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.port = listening.getsockname()[1]
        thread = threading.Thread(target=server.serve, args=(listening,))
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def mail_to(server: MailServer) -> MailWitness:
    return MailWitness("127.0.0.1", server.port, "stappenplan@a.example", ["emma@b.example", "rekenkamer@c.example"])


def test_auditor_gets_a_mail_with_the_head_as_a_file(database: Database, tmp_path: Path):
    town = a_town(database, "Zonnedijk\r\nBcc: x@x.example")
    with a_mail_server() as server:
        work_and_sign(town, a_keeper(database, tmp_path, mail_to(server)))
    [mail] = server.mails
    assert mail["To"] == "emma@b.example, rekenkamer@c.example"
    assert mail["Subject"].strip() == "Stappenplan Zonnedijk Bcc: x@x.example: bewijs van de geschiedenis, nummer 0"
    assert mail["Bcc"] is None
    [attached] = mail.iter_attachments()
    assert attached.get_filename() == "head-00000000.json"
    assert read_signed(attached.get_content().strip()).head.municipality == str(town.id)
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Bewaar deze mail." in body.get_content()


def test_mail_that_is_refused_comes_with_the_next_head(database: Database, tmp_path: Path):
    town = a_town(database, "A")
    with a_mail_server(refuses=True) as server:
        keeper = a_keeper(database, tmp_path, mail_to(server))
        with capture_logs() as logs:
            work_and_sign(town, keeper)
    assert "did not take the mail" in logs[0]["reason"]
    with a_mail_server() as server:
        work_and_sign(town, a_keeper(database, tmp_path, mail_to(server)))
    assert [json.loads(next(mail.iter_attachments()).get_content())["head"]["number"] for mail in server.mails] == [
        0,
        1,
    ]


def test_mail_does_not_go_over_a_network_in_the_open(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.storage.history.witnesses.is_this_machine", lambda _: False)
    town = a_town(database, "A")
    with a_mail_server() as server, capture_logs() as logs:
        work_and_sign(town, a_keeper(database, tmp_path, mail_to(server)))
    assert "offers no TLS" in logs[0]["reason"]
    assert server.mails == []


def test_server_that_is_not_there_is_named(database: Database, tmp_path: Path):
    with a_mail_server() as gone:
        pass
    town = a_town(database, "A")
    with capture_logs() as logs:
        work_and_sign(town, a_keeper(database, tmp_path, mail_to(gone)))
    assert f"127.0.0.1:{gone.port} did not take the mail" in logs[0]["reason"]


# --- settings --------------------------------------------------------------------------------------------------


def test_settings_say_who_the_witnesses_are(tmp_path: Path):
    assert witnesses_of(Settings(data_dir=tmp_path)) == ()
    settings = Settings(
        data_dir=tmp_path,
        witness_dir=tmp_path / "witness",
        witness_smtp_host="mail.example",
        witness_mail_from="a@b.example",
        witness_mail_to="c@d.example, e@f.example",
    )
    assert [witness.name for witness in witnesses_of(settings)] == ["folder", "mail"]
    assert settings.witness_recipients == ("c@d.example", "e@f.example")


@pytest.mark.parametrize(
    "wrong",
    [
        {"witness_smtp_host": "mail.example"},
        {"witness_smtp_host": "mail.example", "witness_mail_from": "a@b.example"},
        {"witness_mail_to": "iemand"},
        {"witness_mail_from": "a b@c.example"},
    ],
)
def test_half_a_mail_witness_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValueError, match=r"(?i)witness_mail|mail address|pattern"):
        Settings(**wrong)
