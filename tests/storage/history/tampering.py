"""Whoever tampers with an export: careful, with a key of their own, and with everything recomputed that can be.

Each way gives the files of an export that must be refused by somebody who knows the fingerprint and kept a head. A way
that is not possible on the drawn place gives None.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.engine.log import canonical, head_hash, spki
from app.engine.merkle import Tree, leaf_hash
from app.storage.history.keys import SigningKey
from app.storage.history.verify_export import L
from tests.storage.history.making import Files

Json = dict[str, Any]


def a_key(seed: int) -> SigningKey:
    private = Ed25519PrivateKey.from_private_bytes(random.Random(seed).randbytes(32))
    return SigningKey(private, private.public_key().public_bytes_raw().hex())


@dataclass(frozen=True)
class Target:
    """`genuine`: the export. `elsewhere`: that of another municipality of the installation. `stolen`: the key that
    signed last. `kept`: the number of the head that the auditor kept."""

    genuine: Files
    elsewhere: Files
    stolen: SigningKey
    kept: int


class Tamperer:
    def __init__(self, target: Target, chance: random.Random) -> None:
        self.target, self.chance = target, chance
        self.own_key = a_key(chance.randrange(1000))
        self.files = {name: [*lines] for name, lines in target.genuine.items()}
        self.entries: list[Json] = [json.loads(line) for line in self.files["entries.jsonl"]]
        self.heads: list[Json] = [json.loads(line) for line in self.files["heads.jsonl"]]

    @property
    def kept_size(self) -> int:
        size: int = self.heads[self.target.kept]["head"]["size"]
        return size

    # --- what a tamperer can make right again -----------------------------------------------------------------

    def renumber(self) -> None:
        """Positions and sequences without gaps."""
        sequences: dict[str, int] = {}
        for position, entry in enumerate(self.entries):
            entry["position"] = position
            entry["sequence"] = sequences[entry["run"]] = sequences.get(entry["run"], 0) + 1

    def write_entries(self) -> None:
        self.files["entries.jsonl"] = [canonical(entry) for entry in self.entries]

    def write_heads(self) -> None:
        self.files["heads.jsonl"] = [canonical(head) for head in self.heads]

    def rebuild(self, key: SigningKey | None, *, since: int = 0) -> None:
        """Roots, chain, signatures and proofs that fit the entries. `key`: what signs, from head `since` on; without
        one the old signatures stay, or the heads altogether."""
        self.write_entries()
        if key is None and self.chance.random() < 0.5:
            return
        tree = Tree(leaf_hash(line) for line in self.files["entries.jsonl"])
        proofs, earlier = [], 0
        for number, signed in enumerate(self.heads):
            head = signed["head"]
            head["number"], head["size"] = number, max(1, min(head["size"], tree.size))
            if number == len(self.heads) - 1:
                head["size"] = tree.size
            head["root"] = tree.root(head["size"]).hex()
            if number:
                head["previous"] = head_hash(canonical(self.heads[number - 1]["head"]))
                hashes = tree.consistency_proof(earlier, head["size"])
                proofs.append({"from": number - 1, "to": number, "hashes": [step.hex() for step in hashes]})
            if key is not None and number >= since:
                head["key"], head["next_key"] = key.public, None
                signed["signature"] = key.sign(canonical(head))
            earlier = head["size"]
        self.write_heads()
        self.files["proofs.jsonl"] = [canonical(proof) for proof in proofs]
        self.write_key(self.heads[-1]["head"]["key"])

    def write_key(self, key: str) -> None:
        self.files["public-key.pem"][1] = base64.b64encode(spki(key))

    def how_far(self) -> SigningKey | None:
        """With the signatures that are there, with a key of one's own, or even with the stolen one."""
        return self.chance.choice([None, self.own_key, self.target.stolen])

    # --- ways: bytes --------------------------------------------------------------------------------------------

    def flip_a_bit(self) -> None:
        lines = self.files[self.chance.choice(["entries.jsonl", "heads.jsonl", "proofs.jsonl", "public-key.pem"])]
        at = self.chance.randrange(len(lines))
        line = bytearray(lines[at])
        line[self.chance.randrange(len(line))] ^= 1 << self.chance.randrange(8)
        lines[at] = bytes(line)

    def write_the_same_in_another_way(self) -> bool:
        name = self.chance.choice(["entries.jsonl", "heads.jsonl", "proofs.jsonl"])
        at = self.chance.randrange(len(self.files[name]))
        line = self.files[name][at]
        value = json.loads(line)
        ways = [
            json.dumps(value, sort_keys=True).encode(),
            json.dumps(dict(reversed(value.items())), separators=(",", ":")).encode(),
            line + b"\r",
            b" " + line,
            line[:-1] + b"," + line[1:],
            line.replace(b"e", b"\\u0065", 1),
            line.replace(b":1,", b":1.0,", 1),
            line.replace(b":1,", b":1e0,", 1),
        ]
        self.files[name][at] = self.chance.choice(ways)
        return self.files[name][at] != line

    def add_or_cut_a_line(self) -> None:
        name = self.chance.choice(["entries.jsonl", "heads.jsonl", "proofs.jsonl", "public-key.pem"])
        lines = self.files[name]
        match self.chance.randrange(4):
            case 0:
                lines.append(b"")
            case 1:
                lines.insert(self.chance.randrange(len(lines) + 1), self.chance.choice(lines))
            case 2:
                del lines[self.chance.randrange(len(lines))]
            case _:
                lines[-1] = lines[-1][: self.chance.randrange(len(lines[-1]))]

    # --- ways: events -------------------------------------------------------------------------------------------

    def change_an_event(self) -> None:
        entry = self.entries[self.chance.randrange(self.kept_size)]
        match self.chance.randrange(6):
            case 0:
                entry["by"] = ("0" if entry["by"][0] != "0" else "1") + entry["by"][1:]
            case 1:
                entry["at"] = entry["at"].replace("2027", "2026")
            case 2:
                entry["data"]["step"] = "een-andere-stap"
            case 3:
                entry["kind"] = "StageApproved"
            case 4:
                entry["data"]["meer"] = True
            case _:
                entry["origin"] = "earlier" if entry["origin"] != "earlier" else "request"
        self.rebuild(self.how_far())

    def swap_events(self) -> bool:
        first, second = sorted(self.chance.sample(range(self.kept_size), 2))
        if self.chance.random() < 0.5:
            second = first + 1
        a, b = self.entries[first], self.entries[second]
        if self.chance.random() < 0.5:
            self.entries[first], self.entries[second] = b, a
        else:  # only what they say
            a["data"], b["data"] = b["data"], a["data"]
            a["kind"], b["kind"] = b["kind"], a["kind"]
        if self.chance.random() < 0.7:
            self.renumber()
        self.rebuild(self.how_far())
        return self.files["entries.jsonl"] != self.target.genuine["entries.jsonl"]

    def leave_an_event_out(self) -> None:
        del self.entries[self.chance.randrange(self.kept_size)]
        if self.chance.random() < 0.8:
            self.renumber()
        self.rebuild(self.how_far())

    def insert_an_event(self) -> None:
        place = self.chance.randrange(self.kept_size)
        source = self.chance.choice([self.entries, [json.loads(one) for one in self.target.elsewhere["entries.jsonl"]]])
        self.entries.insert(place, json.loads(json.dumps(self.chance.choice(source))))
        if self.chance.random() < 0.8:
            self.renumber()
        self.rebuild(self.how_far())

    def move_an_event_to_another_run(self) -> bool:
        entry = self.entries[self.chance.randrange(self.kept_size)]
        others = sorted({other["run"] for other in self.entries} - {entry["run"]})
        if not others:
            return False
        entry["run"] = self.chance.choice(others)
        if self.chance.random() < 0.8:
            self.renumber()
        self.rebuild(self.how_far())
        return True

    def take_an_event_of_another_municipality(self) -> None:
        place = self.chance.randrange(self.kept_size)
        self.entries[place] = json.loads(self.chance.choice(self.target.elsewhere["entries.jsonl"]))
        if self.chance.random() < 0.8:
            self.renumber()
        self.rebuild(self.how_far())

    def add_an_event_at_the_end(self) -> None:
        """Without the key; with it, nobody can tell: that is what is said in so many words."""
        self.entries.append({**self.entries[-1], "kind": "StageApproved"})
        self.renumber()
        key = self.chance.choice([None, self.own_key])
        self.rebuild(key, since=self.chance.choice([0, len(self.heads) - 1]) if key else 0)

    def roll_back(self) -> bool:
        """To a head before the one that was kept: every byte that is left is genuine."""
        if self.target.kept == 0:
            return False
        last = self.chance.randrange(self.target.kept)
        self.files["heads.jsonl"] = self.files["heads.jsonl"][: last + 1]
        self.files["entries.jsonl"] = self.files["entries.jsonl"][: self.heads[last]["head"]["size"]]
        self.files["proofs.jsonl"] = self.files["proofs.jsonl"][:last]
        self.write_key(self.heads[last]["head"]["key"])
        return True

    def roll_back_and_go_on(self) -> bool:
        """Other work on top, signed with a key of one's own or the stolen one, up to as many heads as before."""
        if self.target.kept == 0:
            return False
        last = self.chance.randrange(self.target.kept)
        size = self.heads[last]["head"]["size"]
        for entry in self.entries[size:]:
            entry["data"] = {"ref": "verkennen.1", "step": "iets-anders"}
        self.rebuild(self.chance.choice([self.own_key, self.target.stolen]), since=last + 1)
        return True

    def cut_the_end_of_the_events(self) -> None:
        keep = self.chance.randrange(len(self.entries))
        self.files["entries.jsonl"] = self.files["entries.jsonl"][:keep]

    def make_everything_anew(self) -> None:
        """Another history altogether, right in itself."""
        for entry in self.entries:
            entry["at"] = entry["at"].replace("2027", "2026")
        self.rebuild(self.chance.choice([self.own_key, self.target.stolen]))

    def give_the_history_of_another_municipality(self) -> None:
        """Genuine from the first to the last byte, and signed with the very same key."""
        self.files.update(self.target.elsewhere)

    # --- ways: heads --------------------------------------------------------------------------------------------

    def reorder_heads(self) -> None:
        first, second = self.chance.sample(range(len(self.heads)), 2)
        self.heads[first], self.heads[second] = self.heads[second], self.heads[first]
        if self.chance.random() < 0.5:
            for number, signed in enumerate(self.heads):
                signed["head"]["number"] = number
        self.write_heads()

    def leave_a_head_out(self) -> None:
        gone = self.chance.randrange(self.target.kept + 1)
        del self.heads[gone]
        if self.chance.random() < 0.5:
            del self.files["proofs.jsonl"][min(gone, len(self.files["proofs.jsonl"]) - 1)]
        if self.chance.random() < 0.5:
            self.rebuild(self.how_far())
        else:
            self.write_heads()

    def repeat_a_head(self) -> None:
        place = self.chance.randrange(len(self.heads))
        self.heads.insert(place, json.loads(json.dumps(self.chance.choice(self.heads))))
        self.write_heads()

    def forge_a_head(self) -> bool:
        """One field of one head, signed again with a key of one's own, or not at all."""
        signed = self.chance.choice(self.heads)
        head, before = signed["head"], canonical(signed)
        match self.chance.randrange(7):
            case 0:
                head["root"] = leaf_hash(self.chance.randbytes(4)).hex()
            case 1:
                head["size"] += self.chance.choice([-1, 1])
            case 2:
                head["at"] = head["at"].replace("2027", "2028")
            case 3:
                head["municipality"] = json.loads(self.target.elsewhere["heads.jsonl"][0])["head"]["municipality"]
            case 4:
                head["previous"] = self.chance.choice([None, leaf_hash(b"x").hex()])
            case 5:
                head["next_key"] = self.own_key.public
            case _:
                head["key"] = self.own_key.public
        if self.chance.random() < 0.5:
            signed["signature"] = self.own_key.sign(canonical(head))
        self.write_heads()
        return canonical(signed) != before

    def forge_a_signature(self) -> bool:
        signed = self.chance.choice(self.heads)
        before = signed["signature"]
        match self.chance.randrange(5):
            case 0:  # adding the order of the group gives the same equation
                scalar = int.from_bytes(bytes.fromhex(before[64:]), "little") + L
                signed["signature"] = before[:64] + scalar.to_bytes(32, "little").hex()
            case 1:
                signed["signature"] = self.own_key.sign(canonical(signed["head"]))
            case 2:
                signed["signature"] = self.chance.choice(self.heads)["signature"]
            case 3:
                signed["signature"] = before.upper()
            case _:
                signed["signature"] = "0" * 128
        self.write_heads()
        return bool(signed["signature"] != before)

    def introduce_a_key(self) -> None:
        """A head that makes one's own key the next one, and genuine looking heads after it."""
        place = self.chance.randrange(self.target.kept + 1)
        signed = self.heads[place]
        signed["head"]["next_key"] = self.own_key.public
        if self.chance.random() < 0.5:
            signed["head"]["key"] = self.own_key.public
        signed["signature"] = self.own_key.sign(canonical(signed["head"]))
        self.rebuild(self.own_key, since=place + 1)

    def put_another_key_in_front(self) -> None:
        """A first head of one's own that introduces the real key, as if it had been renewed."""
        first = json.loads(json.dumps(self.heads[0]))
        first["head"].update(key=self.own_key.public, next_key=self.heads[0]["head"]["key"])
        first["signature"] = self.own_key.sign(canonical(first["head"]))
        self.heads.insert(0, first)
        for number, signed in enumerate(self.heads):
            signed["head"]["number"] = number
        self.rebuild(None)

    def take_a_head_of_another_municipality(self) -> None:
        place = self.chance.randrange(len(self.heads))
        self.heads[place] = json.loads(self.chance.choice(self.target.elsewhere["heads.jsonl"]))
        if self.chance.random() < 0.5:
            self.heads[place]["head"]["number"] = place
        self.write_heads()

    # --- ways: proofs and files -------------------------------------------------------------------------------

    def forge_a_proof(self) -> bool:
        lines = self.files["proofs.jsonl"]
        place = self.chance.randrange(len(lines))
        proof = json.loads(lines[place])
        hashes = proof["hashes"]
        match self.chance.randrange(6):
            case 0 if hashes:
                del hashes[self.chance.randrange(len(hashes))]
            case 1:
                hashes.insert(self.chance.randrange(len(hashes) + 1), leaf_hash(b"x").hex())
            case 2 if len(hashes) > 1:
                hashes.reverse()
            case 3 if hashes:
                hashes[self.chance.randrange(len(hashes))] = self.heads[place]["head"]["root"]
            case 4:
                proof["hashes"] = json.loads(self.chance.choice(lines))["hashes"]
            case _:
                proof["from"], proof["to"] = place + 1, place + 2
        lines[place] = canonical(proof)
        return lines != self.target.genuine["proofs.jsonl"]

    def reorder_proofs(self) -> None:
        lines = self.files["proofs.jsonl"]
        first, second = self.chance.sample(range(len(lines)), 2)
        lines[first], lines[second] = lines[second], lines[first]

    def show_another_key(self) -> None:
        self.write_key(self.own_key.public)

    def add_or_drop_a_file(self) -> None:
        if self.chance.random() < 0.5:
            del self.files[self.chance.choice([*self.files])]
        else:
            self.files[self.chance.choice(["entries2.jsonl", "../entries.jsonl", "x\x1b[2J"])] = [b"{}"]


WAYS: dict[str, Callable[[Tamperer], bool | None]] = {
    name: way
    for name, way in vars(Tamperer).items()
    if callable(way)
    and not name.startswith("_")
    and name not in {"renumber", "write_entries", "write_heads", "write_key", "rebuild", "how_far", "kept_size"}
}


def tampered(target: Target, seed: int) -> tuple[str, Files]:
    """The way that was chosen, and the files; never those of the export itself."""
    chance = random.Random(seed)  # to choose among ways to tamper
    while True:
        name = chance.choice([*WAYS])
        tamperer = Tamperer(target, chance)
        if WAYS[name](tamperer) is not False and tamperer.files != target.genuine:
            return name, tamperer.files
