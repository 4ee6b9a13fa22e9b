"""Time stamps of RFC 3161 as a witness: a service outside says that a signed head was there at that moment.

The reader below knows as much of DER as a time stamp needs: no library that we use reads one. It checks that the
service granted the stamp, over this head and for this request. Whose signature is under it is for whoever has the
certificate of the service to check:

    openssl ts -verify -data head-00000012.json -in head-00000012.tsr -CAfile certificates-of-the-service.pem
"""

from __future__ import annotations

import hashlib
import http.client
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.storage.history.heads import Signed
from app.storage.history.keys import sync_folder
from app.storage.history.witness import WitnessFailed, file_name, write_once

TIMEOUT: Final = 10  # seconds to wait for the service
RESPONSE_BYTES_MAX: Final = 256 * 1024  # a stamp with its certificates takes some 5 KiB
NONCE_BYTES: Final = 8

INTEGER, OCTETS, NAME, SEQUENCE, TIME, FIRST = 0x02, 0x04, 0x06, 0x30, 0x18, 0xA0
_SHA256: Final = bytes.fromhex("300d06096086480165030402010500")
_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
_TST_INFO: Final = bytes.fromhex("2a864886f70d0109100104")
GRANTED: Final = (0, 1)  # as asked, or with changes


class NoStamp(Exception):
    """What came back is no time stamp for what was asked; the message says why."""


# --- DER -------------------------------------------------------------------------------------------------------


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(number: int) -> bytes:
    return der(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


@dataclass(frozen=True, slots=True)
class Element:
    tag: int
    content: bytes

    def inside(self, tag: int, *, at: int = 0) -> Element:
        """Raises NoStamp."""
        found = elements(self.content)
        if at >= len(found) or found[at].tag != tag:
            raise NoStamp("it has another form than a time stamp")
        return found[at]


def elements(data: bytes) -> list[Element]:
    """One after the other, up to the end.  Raises NoStamp."""
    found, at = [], 0
    while at < len(data):
        head = data[at : at + 2]
        if len(head) < 2 or head[0] & 0x1F == 0x1F:
            raise NoStamp("it breaks off")
        size, at = head[1], at + 2
        if size & 0x80:
            count = size & 0x7F
            if not 0 < count <= 4:
                raise NoStamp("it is not written as DER")
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        if at + size > len(data):
            raise NoStamp("it breaks off")
        found.append(Element(head[0], data[at : at + size]))
        at += size
    return found


# --- asking and reading ----------------------------------------------------------------------------------------


def request_for(data: bytes, nonce: int) -> bytes:
    """With the certificate of the service, so that the stamp can be checked years from now."""
    return der(SEQUENCE, integer(1) + _imprint(data) + integer(nonce) + bytes.fromhex("0101ff"))


def _imprint(data: bytes) -> bytes:
    return der(SEQUENCE, _SHA256 + der(OCTETS, hashlib.sha256(data).digest()))


def stamped_at(response: bytes, data: bytes, nonce: int) -> datetime:
    """The moment that the service gives to `data`.  Raises NoStamp."""
    body = _tst_info(response)
    if der(SEQUENCE, body.inside(SEQUENCE, at=2).content) != _imprint(data):
        raise NoStamp("it is over something else")
    rest = elements(body.content)[5:]
    if [one.content for one in rest if one.tag == INTEGER] != [elements(integer(nonce))[0].content]:
        raise NoStamp("it answers another request")
    return _moment(body.inside(TIME, at=4).content)


def moment_in(response: bytes) -> datetime:
    """Of a stamp that was checked when it came.  Raises NoStamp."""
    return _moment(_tst_info(response).inside(TIME, at=4).content)


def _tst_info(response: bytes) -> Element:
    if len(outer := elements(response)) != 1 or outer[0].tag != SEQUENCE:
        raise NoStamp("it has another form than a time stamp")
    status = int.from_bytes(outer[0].inside(SEQUENCE).inside(INTEGER).content, "big")
    if status not in GRANTED:
        raise NoStamp(f"the service refused, with status {status}")
    token = outer[0].inside(SEQUENCE, at=1)
    if token.inside(NAME).content != _SIGNED_DATA:
        raise NoStamp("it is not signed")
    content = token.inside(FIRST, at=1).inside(SEQUENCE).inside(SEQUENCE, at=2)
    if content.inside(NAME).content != _TST_INFO:
        raise NoStamp("something else was signed than a time stamp")
    whole = content.inside(FIRST, at=1).inside(OCTETS).content
    return Element(FIRST, whole).inside(SEQUENCE)


def _moment(text: bytes) -> datetime:
    try:
        return datetime.strptime(text.decode("ascii").partition(".")[0].rstrip("Z"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise NoStamp("its moment cannot be read") from None


# --- the witness -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimeStampWitness:
    """Keeps each head with its stamp: `<folder>/<municipality>/head-00000012.json` and `.tsr` beside it."""

    url: str
    folder: Path
    name: str = "time stamp"
    timeout: float = TIMEOUT

    def receive(self, municipality: str, signed: Signed) -> None:
        head = self.folder / signed.head.municipality / file_name(signed)
        data, nonce = signed.text() + b"\n", secrets.randbits(NONCE_BYTES * 8)
        stamp = head.with_suffix(".tsr")
        if stamp.exists() and head.exists() and head.read_bytes() == data:
            return
        response = self._ask(request_for(data, nonce))
        try:
            stamped_at(response, data, nonce)
        except NoStamp as wrong:
            raise WitnessFailed(f"{self.url} gave no time stamp: {wrong}") from None
        try:
            write_once(head, data)
            stamp.write_bytes(response)
            sync_folder(stamp.parent)
        except OSError as error:
            raise WitnessFailed(f"{stamp} cannot be written: {error.strerror}") from None

    def _ask(self, request: bytes) -> bytes:
        asked = urllib.request.Request(  # noqa: S310  # the settings take http and https only
            self.url, request, {"Content-Type": "application/timestamp-query"}, method="POST"
        )
        try:
            with urllib.request.urlopen(asked, timeout=self.timeout) as answer:  # noqa: S310
                response: bytes = answer.read(RESPONSE_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException) as error:
            raise WitnessFailed(f"{self.url} cannot be asked for a time stamp: {error}") from None
        if len(response) > RESPONSE_BYTES_MAX:
            raise WitnessFailed(f"{self.url} sent more than a time stamp")
        return response


@dataclass(frozen=True, slots=True)
class Stamp:
    """`number` of the head; `at`: the moment that the service gives."""

    number: int
    at: datetime
    files: tuple[Path, Path]


def stamps_in(folder: Path, municipality: str) -> list[Stamp]:
    """Oldest first; a file that somebody damaged is left out."""
    found = []
    for path in sorted((folder / municipality).glob("head-*.tsr")):
        head, number = path.with_suffix(".json"), path.stem.removeprefix("head-")
        try:
            if head.exists() and number.isdecimal():
                found.append(Stamp(int(number), moment_in(path.read_bytes()), (head, path)))
        except (NoStamp, OSError):
            continue
    return found
