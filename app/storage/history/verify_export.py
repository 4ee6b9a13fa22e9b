#!/usr/bin/env python3
"""Controleert een export van de geschiedenis van Stappenplan. Checks an export of the history of Stappenplan.

    python3 verify_export.py EXPORT --fingerprint FINGERPRINT [--head HEAD.json]...

EXPORT is the zip file or the folder that it was unpacked to. FINGERPRINT is that of the key: ask it of the municipality
by another road than this export. HEAD.json is a signed head that a witness kept earlier. Takes Python 3.9 or newer and
nothing else: no network, no packages. Exit code 0: in order; 1: refused, with what is wrong; 2: wrong use.

The format: README.txt beside this file. Hashes and proofs: RFC 6962. Signatures: Ed25519, RFC 8032.
Licence: EUPL-1.2.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FILES = {"README.txt", "entries.jsonl", "heads.jsonl", "proofs.jsonl", "public-key.pem", "verify_export.py"}
UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
LINE_MAX = 4 * 1024 * 1024  # bytes; no event is longer
NOT_SEEN = (
    "Dat een gebeurtenis waar was, ziet geen controle. / That an event was true, no check can show.",
    "Wie de sleutel heeft, kan alles opnieuw maken. Dat ziet u alleen met een eerder bewijs. / "
    "Who has the key can make everything anew. Only an earlier head shows that.",
)
NOT_SEEN_WITHOUT_HEAD = (
    "Zonder eerder bewijs (--head) ziet u NIET of de nieuwste gebeurtenissen met hun bewijzen zijn weggehaald. / "
    "Without an earlier head you can NOT see whether the newest events were removed together with their heads."
)
Form = dict[str, Callable[[Any], bool]]
Heads = list[dict[str, Any]]
Point = tuple[int, int, int, int]


class Refused(Exception):
    """What is wrong, in Dutch and in English."""


# --- form ------------------------------------------------------------------------------------------------------------


def canonical(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f").encode("ascii")


def text(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII) is not None


def form(keys: str) -> Form:
    return {key: KINDS[kind] for key, kind in (one.split(":") for one in keys.split())}


is_hash = text("[0-9a-f]{64}")
KINDS: Form = {
    "moment": text(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
    "id": text("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "hash": is_hash,
    "hash?": lambda value: value is None or is_hash(value),
    "hashes": lambda value: isinstance(value, list) and all(map(is_hash, value)),
    "signature": text("[0-9a-f]{128}"),
    "word": text("[A-Za-z0-9-]+"),
    "number": lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    "map": lambda value: isinstance(value, dict),
}
ENTRY = form("at:moment by:id data:map format:number kind:word origin:word position:number run:id sequence:number")
HEAD = form(
    "at:moment format:word key:hash municipality:id next_key:hash? number:number previous:hash? root:hash size:number"
)
SIGNED = form("head:map signature:signature")
PROOF = form("from:number hashes:hashes to:number")


def has_form(value: Any, form: Form) -> bool:
    return isinstance(value, dict) and set(value) == set(form) and all(form[key](value[key]) for key in form)


def parsed(line: bytes, form: Form, dutch: str, english: str) -> dict[str, Any]:
    """The value of a line, which must be written in the one allowed way."""
    try:
        value: dict[str, Any] = json.loads(line.decode("ascii"))
        if canonical(value) == line and has_form(value, form):
            return value
    except (ValueError, RecursionError):
        pass
    raise Refused(f"{dutch} is veranderd: zo schrijft Stappenplan het niet", f"{english} was changed in its form")


# --- Merkle tree, RFC 6962 -------------------------------------------------------------------------------------------


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(peaks: list[bytes], size: int, leaf: bytes) -> None:
    """`peaks`: the roots of the full subtrees, largest first; from them follows the root of the whole."""
    while size & 1:
        leaf, size = node_hash(peaks.pop(), leaf), size >> 1
    peaks.append(leaf)


def root_of(peaks: list[bytes]) -> bytes:
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def is_consistent(earlier: int, later: int, earlier_root: bytes, later_root: bytes, proof: list[bytes]) -> bool:
    """Whether the proof shows that the first tree is the beginning of the second."""
    if earlier == later:
        return not proof and earlier_root == later_root
    path = proof if earlier & (earlier - 1) else [earlier_root, *proof]
    if not path:
        return False
    node, last = earlier - 1, later - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and old == earlier_root and new == later_root


# --- Ed25519, RFC 8032: verifying only. Points are extended homogeneous coordinates (X, Y, Z, T). --------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
NEUTRAL = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def decompress(data: bytes) -> Point | None:
    """The point of 32 bytes, or None."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def compress(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def multiples(point: Point) -> list[list[Point]]:
    """A table with which multiplying takes 64 additions: for each half byte of the number its 16 multiples."""
    table = []
    for _ in range(64):
        row = [NEUTRAL]
        for _ in range(15):
            row.append(add(row[-1], point))
        table.append(row)
        point = add(row[-1], point)
    return table


def times(number: int, table: list[list[Point]]) -> Point:
    point = NEUTRAL
    for row in table:
        point = add(point, row[number & 15])
        number >>= 4
    return point


BASE_POINT = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
BASE = multiples(BASE_POINT or NEUTRAL)
TABLES: dict[bytes, list[list[Point]] | None] = {}


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    if key not in TABLES:
        point = decompress(key)
        TABLES[key] = multiples((P - point[0], point[1], 1, P - point[3])) if point else None
    table, scalar = TABLES[key], int.from_bytes(signature[32:], "little")
    if table is None or len(signature) != 64 or scalar >= L:
        return False
    number = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return compress(add(times(scalar, BASE), times(number, table))) == signature[:32]


def spki(key: bytes) -> bytes:
    return bytes.fromhex("302a300506032b6570032100") + key


def fingerprint_of(key: str) -> str:
    return hashlib.sha256(spki(bytes.fromhex(key))).hexdigest()


# --- the export ------------------------------------------------------------------------------------------------------


class Export:
    """A folder or a zip file with exactly the files of an export."""

    def __init__(self, path: Path) -> None:
        self.folder = path
        try:
            self.zip = None if path.is_dir() else zipfile.ZipFile(path)
            names = self.zip.namelist() if self.zip else [one.name for one in path.iterdir()]
        except UNREADABLE as error:
            raise Refused(f"De export is niet te lezen: {error!a}", f"The export cannot be read: {error!a}") from None
        for name in FILES | set(names) - {"__pycache__"}:
            if name not in FILES or names.count(name) != 1:
                raise Refused(f"{name!a} hoort hier niet, of ontbreekt", f"{name!a} has no place here, or is missing")

    def lines(self, name: str) -> Iterator[bytes]:
        """Without their ends. Every line has one, also the last."""
        try:
            with self.zip.open(name) if self.zip else (self.folder / name).open("rb") as file:
                while line := file.readline(LINE_MAX):
                    if not line.endswith(b"\n"):
                        raise Refused(f"{name} breekt af of is te lang", f"{name} is cut off, or a line is too long")
                    yield line[:-1]
        except UNREADABLE as error:
            raise Refused(f"{name} is niet te lezen: {error!a}", f"{name} cannot be read: {error!a}") from None


def read_head(line: bytes, dutch: str, english: str) -> tuple[dict[str, Any], bytes]:
    """The head, the bytes that are signed; its own signature fits."""
    value = parsed(line, SIGNED, dutch, english)
    head, document = value["head"], canonical(value["head"])
    if not has_form(head, HEAD) or head["format"] != "stappenplan-head-1":
        raise Refused(f"{dutch} heeft een andere vorm", f"{english} has another form")
    if not is_signed(bytes.fromhex(head["key"]), document, bytes.fromhex(value["signature"])):
        raise Refused(f"{dutch} heeft een handtekening die niet klopt", f"{english} has a signature that does not fit")
    return head, document


def check_heads(export: Export, fingerprint: str, kept: dict[int, bytes]) -> Heads:
    """All heads: an unbroken chain from the first, with the expected key and what was kept in it."""
    heads: Heads = []
    previous: str | None = None
    keys: set[str] = set()
    for number, line in enumerate(export.lines("heads.jsonl")):
        nl, en = f"Bewijs {number}", f"Head {number}"
        head, document = read_head(line, nl, en)
        last = heads[-1] if heads else {**head, "next_key": None}
        if head["number"] != number:
            raise Refused(f"{nl} ontbreekt of staat verkeerd", f"{en} is missing or out of place")
        if head["previous"] != previous:
            raise Refused(f"{nl} volgt niet op het bewijs ervoor", f"{en} does not follow on the head before it")
        if head["municipality"] != last["municipality"]:
            raise Refused(f"{nl} is van een andere gemeente", f"{en} is of another municipality")
        if head["key"] != (last["next_key"] or last["key"]):
            raise Refused(f"{nl} is met een andere sleutel ondertekend", f"{en} is signed with another key")
        if head["size"] < last["size"] or head["at"] < last["at"]:
            raise Refused(f"{nl} gaat terug in aantal of tijd", f"{en} goes back in number or time")
        if kept.pop(number, document) != document:
            raise Refused(f"{nl} is een ander dan u al had: herschreven", f"{en} is not the one you had: rewritten")
        heads.append(head)
        keys.add(fingerprint_of(head["key"]))
        previous = hashlib.sha256(document).hexdigest()
    if not heads:
        raise Refused("Er is geen enkel bewijs", "There is no signed head at all")
    if fingerprint not in keys:
        raise Refused("De sleutel is een andere dan u verwacht", "The key is another one than you expect")
    for number in kept:
        raise Refused(f"Bewijs {number} is weg: er is teruggedraaid", f"Head {number} is gone: a rollback")
    return heads


def check_entries(export: Export, heads: Heads) -> int:
    """Every event in its place, and under every head exactly those that were signed. Gives the number of runs."""
    size, waiting = 0, [*reversed(heads)]
    peaks: list[bytes] = []
    sequences: dict[str, int] = {}
    for line in export.lines("entries.jsonl"):
        nl, en = f"Gebeurtenis {size}", f"Event {size}"
        entry = parsed(line, ENTRY, nl, en)
        if entry["position"] != size or entry["format"] != 1:
            raise Refused(f"{nl} ontbreekt of staat verkeerd", f"{en} is missing or out of place")
        run, sequence = entry["run"], entry["sequence"]
        expected = sequences[run] = sequences.get(run, 0) + 1
        if sequence != expected:
            raise Refused(
                f"{nl} is in traject {run} nummer {sequence}, en dat moest {expected} zijn",
                f"{en} is number {sequence} in run {run}, and that had to be {expected}",
            )
        if not waiting:
            raise Refused(f"{nl} valt onder geen enkel bewijs", f"{en} is under no head")
        append(peaks, size, hashlib.sha256(b"\x00" + line).digest())
        size += 1
        while waiting and waiting[-1]["size"] == size:
            if waiting.pop()["root"] != root_of(peaks).hex():
                raise Refused(
                    f"Bij de eerste {size} gebeurtenissen is er een veranderd, ingevoegd of verwisseld",
                    f"Of the first {size} events one was changed, inserted or swapped",
                )
    if waiting:
        wanted = heads[-1]["size"]
        raise Refused(f"Er zijn {size} gebeurtenissen, geen {wanted}", f"There are {size} events, not {wanted}")
    return len(sequences)


def check_proofs(export: Export, heads: Heads) -> None:
    """From each head to the next, so that heads alone show that the history only grew."""
    number = 0
    for number, line in enumerate(export.lines("proofs.jsonl"), 1):
        nl, en = f"Tussenbewijs {number}", f"Proof {number}"
        value = parsed(line, PROOF, nl, en)
        if number >= len(heads) or (value["from"], value["to"]) != (number - 1, number):
            raise Refused(f"{nl} hoort hier niet", f"{en} has no place here")
        old, new = heads[number - 1 : number + 1]
        hashes, roots = map(bytes.fromhex, value["hashes"]), (bytes.fromhex(old["root"]), bytes.fromhex(new["root"]))
        if not is_consistent(old["size"], new["size"], *roots, [*hashes]):
            raise Refused(f"{nl} klopt niet", f"{en} does not fit")
    if number != len(heads) - 1:
        raise Refused(f"Tussenbewijs {number + 1} ontbreekt", f"Proof {number + 1} is missing")


def check_key_file(export: Export, heads: Heads) -> None:
    body = base64.b64encode(spki(bytes.fromhex(heads[-1]["key"])))
    if [*export.lines("public-key.pem")] != [b"-----BEGIN PUBLIC KEY-----", body, b"-----END PUBLIC KEY-----"]:
        raise Refused("public-key.pem is niet de sleutel van nu", "public-key.pem is not the key of now")


def verify(path: Path, fingerprint: str, kept_lines: list[tuple[str, bytes]]) -> tuple[Heads, int]:
    """The heads and the number of runs.  Raises Refused."""
    kept: dict[int, bytes] = {}
    for name, line in kept_lines:
        head, document = read_head(line, ascii(name), ascii(name))
        if kept.setdefault(head["number"], document) != document:
            raise Refused(f"{name!a} spreekt een ander bewijs tegen", f"{name!a} contradicts another head")
    export = Export(path)
    heads = check_heads(export, fingerprint, kept)
    runs = check_entries(export, heads)
    check_proofs(export, heads)
    check_key_file(export, heads)
    return heads, runs


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("export", help="zip file or folder")
    parser.add_argument("--fingerprint", required=True, help="of the key: 64 digits and letters a to f")
    parser.add_argument("--head", action="append", default=[], help="signed head that a witness kept earlier")
    options = parser.parse_args(arguments)
    fingerprint = re.sub("[: ]", "", options.fingerprint).lower()
    if not is_hash(fingerprint):
        parser.error("--fingerprint: 64 cijfers en letters a-f / 64 digits and letters a to f")
    kept_lines: list[tuple[str, bytes]] = []
    for name in options.head:
        try:
            kept_lines.append((name, Path(name).read_bytes().strip()))
        except OSError as error:
            parser.error(f"{name!a}: {error.strerror}")
    try:
        heads, runs = verify(Path(options.export), fingerprint, kept_lines)
    except Refused as refused:
        print("GEWEIGERD: {}.\nREFUSED: {}.".format(*refused.args))
        return 1
    last = heads[-1]
    print(f"IN ORDE: {last['size']} gebeurtenissen in {runs} trajecten, {len(heads)} bewijzen.")
    print(f"IN ORDER: {last['size']} events in {runs} runs, {len(heads)} signed heads.")
    print(f"Gemeente / municipality: {last['municipality']}\nNieuwste / newest: {last['number']}, {last['at']}")
    print(f"Wortel / root: {last['root']}")
    print(*(NOT_SEEN if kept_lines else (NOT_SEEN_WITHOUT_HEAD, *NOT_SEEN)), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
