"""Witnesses: whoever keeps signed heads outside of our reach, so that we cannot rewrite the history unseen."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol

from app.engine.log import fingerprint
from app.hosts import is_this_machine
from app.settings import Settings
from app.storage.history.heads import Signed
from app.storage.history.time_stamps import TimeStampWitness
from app.storage.history.witness import WitnessFailed, file_name, write_once

MAIL_TIMEOUT: Final = 10  # seconds to wait for the mail server


class Witness(Protocol):
    @property
    def name(self) -> str: ...

    def receive(self, municipality: str, signed: Signed) -> None:
        """`municipality` is its name. The same head may come twice.  Raises WitnessFailed."""


@dataclass(frozen=True, slots=True)
class FolderWitness:
    """A file per head, best on a disk that the installation can write to and not change: a share that keeps versions,
    or one that is copied away."""

    folder: Path
    name: str = "folder"

    def receive(self, municipality: str, signed: Signed) -> None:
        path = self.folder / signed.head.municipality / file_name(signed)
        try:
            write_once(path, signed.text() + b"\n")
        except OSError as error:
            raise WitnessFailed(f"{path} cannot be written: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class MailWitness:
    """Mail to an auditor, with the head as a file."""

    host: str
    port: int
    sender: str
    recipients: Sequence[str]
    name: str = "mail"

    def receive(self, municipality: str, signed: Signed) -> None:
        message = self._message(municipality, signed)
        try:
            with smtplib.SMTP(self.host, self.port, timeout=MAIL_TIMEOUT) as server:
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                    server.ehlo()
                elif not is_this_machine(self.host):
                    raise WitnessFailed(
                        f"{self.host}:{self.port} offers no TLS (STARTTLS): the mail could be read or stopped"
                    )
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise WitnessFailed(f"{self.host}:{self.port} did not take the mail: {error}") from None
        if refused:
            raise WitnessFailed(f"{self.host}:{self.port} refused some recipients")

    def _message(self, municipality: str, signed: Signed) -> EmailMessage:
        head = signed.head
        message = EmailMessage()
        # A name with a line break would be a header of its own.
        name = " ".join(municipality.split())
        message["Subject"] = f"Stappenplan {name}: bewijs van de geschiedenis, nummer {head.number}"
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message.set_content(
            f"Dit is een bewijs van de geschiedenis van {name}.\n"
            "Bewaar deze mail. Met de bijlage kunt u later controleren of de geschiedenis is veranderd.\n\n"
            f"Nummer: {head.number}\n"
            f"Aantal gebeurtenissen: {head.size}\n"
            f"Wortel: {head.root}\n"
            f"Moment: {head.at.isoformat()}\n"
            f"Vingerafdruk van de sleutel: {fingerprint(head.key)}\n\n"
            "This is a signed head of the history. Keep it: with the attached file you can check later whether the\n"
            "history was changed.\n"
        )
        content = signed.text() + b"\n"
        message.add_attachment(content, maintype="application", subtype="json", filename=file_name(signed))
        return message


def witnesses_of(settings: Settings) -> tuple[Witness, ...]:
    return tuple(_witnesses(settings))


def _witnesses(settings: Settings) -> Iterable[Witness]:
    if settings.witness_dir is not None:
        yield FolderWitness(settings.witness_dir)
    if settings.witness_smtp_host:
        assert settings.witness_mail_from is not None, "the settings see to that"
        yield MailWitness(
            settings.witness_smtp_host,
            settings.witness_smtp_port,
            settings.witness_mail_from,
            settings.witness_recipients,
        )
    if settings.time_stamp_url:
        yield TimeStampWitness(settings.time_stamp_url, settings.time_stamps)
