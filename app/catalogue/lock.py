"""`released.json`, beside the folders of the plans: which versions are released, and what each of them means.

A version that is in it is never edited. Of every part of it (a stage, a step, a ground …) the lock keeps a short hash,
so that a change can be told with its place in the file. A file that is not in it is a draft.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from app.catalogue.loader import Document, canonical
from app.catalogue.problems import Path as DocumentPath
from app.catalogue.problems import PlanInvalid, Problem
from app.catalogue.schema import Id, Version
from app.catalogue.versions import precedence

LOCK_NAME = "released.json"
FORMAT = 1
PART_HASH_LENGTH = 16  # hex digits: these only point at what changed; the digest of the whole plan is what counts

# Lists of the plan whose items have an id, and are parts of their own.
_LISTS = frozenset({"terms", "grounds", "domains", "evidence_kinds", "roles", "decisions"})

Name = tuple[str, str]
"""Plan id and version."""


class Status(StrEnum):
    """Of a version in the folder. Users only see what is or was released; no run starts on a retired version."""

    DRAFT = "draft"
    RELEASED = "released"
    RETIRED = "retired"


# --- the parts of a plan ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """`path` is where it is in the document, and so in the file."""

    hash: str
    path: DocumentPath


def parts_of(document: Document) -> dict[str, Part]:
    """By names such as `plan`, `grounds/leeftijd` or `stages/verkennen/steps/signalen`. Together they hold all of the
    document; the part that a list is called by, such as `grounds`, holds the order of its items."""
    return {name: Part(_hash(value), path) for name, path, value in _split(document)}


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical({"part": value})).hexdigest()[:PART_HASH_LENGTH]


def _split(document: Document) -> Iterator[tuple[str, DocumentPath, Any]]:
    for key, value in document.items():
        if key == "sources":
            for id, source in value.items():
                yield f"sources/{id}", ("sources", id), source
        elif key == "stages":
            yield "stages", ("stages",), _ids(value)
            for number, stage in enumerate(value):
                yield from _split_stage(stage, ("stages", number))
        elif key in _LISTS:
            yield from _split_list(value, key, (key,))
        else:
            yield key, (key,), value


def _split_stage(stage: Document, path: DocumentPath) -> Iterator[tuple[str, DocumentPath, Any]]:
    name = f"stages/{stage['id']}"
    inner = ("steps", "statements", "gate")
    yield name, path, {key: value for key, value in stage.items() if key not in inner}
    yield from _split_list(stage["steps"], f"{name}/steps", (*path, "steps"))
    for key in inner[1:]:
        if key in stage:
            yield f"{name}/{key}", (*path, key), stage[key]


def _split_list(items: list[Document], name: str, path: DocumentPath) -> Iterator[tuple[str, DocumentPath, Any]]:
    yield name, path, _ids(items)
    for number, item in enumerate(items):
        yield f"{name}/{item['id']}", (*path, number), item


def _ids(items: list[Document]) -> list[str]:
    return [item["id"] for item in items]


@dataclass(frozen=True, slots=True)
class PartChange:
    """`path` is the part, or for a missing one what is left around it."""

    code: Literal["released_changed", "released_added", "released_missing", "released_order"]
    name: str
    path: DocumentPath


def part_changes(released: Mapping[str, str], found: Mapping[str, Part]) -> Iterator[PartChange]:
    """What differs, each once: nothing about the inside of what is missing or new as a whole."""
    missing, added = released.keys() - found.keys(), found.keys() - released.keys()
    differ = {name for name in released.keys() & found.keys() if released[name] != found[name].hash}
    for name in sorted(missing):
        if missing.isdisjoint(_around(name)):
            rest = next((found[each].path for each in _around(name) if each in found), ())
            yield PartChange("released_missing", name, rest)
    for name in sorted(added):
        if added.isdisjoint(_around(name)):
            yield PartChange("released_added", name, found[name].path)
    came_or_went = {name.rpartition("/")[0] for name in missing | added}
    for name in sorted(differ):
        if not _is_order(name):
            yield PartChange("released_changed", name, found[name].path)
        elif name not in came_or_went:
            yield PartChange("released_order", name, found[name].path)


def _around(name: str) -> Iterator[str]:
    """The parts that this one is in, from the inside out."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _is_order(name: str) -> bool:
    last = name.rpartition("/")[2]
    return name in _LISTS or name == "stages" or (name.count("/") == 2 and last == "steps")


# --- the lock --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Release:
    """`parts` gives for the name of each part the beginning of the SHA-256 of its canonical form. `file` is the SHA-256
    of the bytes of the file as it was released: as long as it has those, it need not be read to know what it means."""

    digest: str
    released: date
    parts: Mapping[str, str]
    retired: date | None = None
    file: str = ""

    @classmethod
    def of(cls, document: Document, digest: str, *, on: date, data: bytes | None = None) -> Release:
        """`data`: the bytes of the file, where they are at hand."""
        parts = {name: part.hash for name, part in parts_of(document).items()}
        return cls(digest, on, parts, file=hashlib.sha256(data).hexdigest() if data else "")

    def is_same_file(self, data: bytes) -> bool:
        return self.file == hashlib.sha256(data).hexdigest()

    @property
    def status(self) -> Status:
        return Status.RETIRED if self.retired else Status.RELEASED


@dataclass(frozen=True, slots=True)
class Lock:
    """`file` is named in problems. Without a file nothing was released."""

    file: Path
    releases: Mapping[Name, Release] = field(default_factory=dict)
    text: str = ""

    @classmethod
    def read(cls, folder: Path) -> Lock:
        """Raises PlanInvalid for a lock that cannot be read or is not one."""
        file = folder / LOCK_NAME
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls(file)
        except (OSError, UnicodeDecodeError) as error:
            reason = (error.strerror if isinstance(error, OSError) else "not UTF-8") or type(error).__name__
            raise PlanInvalid([Problem(str(file), 1, 1, "", "unreadable", {"reason": reason})]) from None
        return cls(file, _releases(text, str(file)), text)

    def status(self, name: Name) -> Status:
        return self.releases[name].status if name in self.releases else Status.DRAFT

    def mark(self, name: Name) -> tuple[int, int]:
        """Line and column of a release in the file."""
        return _mark(self.text, ("plans", *name))

    def newest(self, plan_id: str) -> str | None:
        """The highest version of a plan that was ever released, retired or not."""
        return max((version for id, version in self.releases if id == plan_id), key=precedence, default=None)

    def with_release(self, name: Name, release: Release) -> Lock:
        return replace(self, releases={**self.releases, name: release})

    def with_retirement(self, name: Name, on: date | None) -> Lock:
        """`on` None: not retired after all.  Raises KeyError for what was never released."""
        return self.with_release(name, replace(self.releases[name], retired=on))

    def write(self) -> Lock:
        """All or nothing: whoever reads meanwhile finds the old file or the new one.  Raises OSError."""
        text = lock_text(self.releases)
        written = self.file.with_name(f".{LOCK_NAME}.{os.getpid()}")
        try:
            with written.open("x", encoding="utf-8") as output:
                output.write(text)
                output.flush()
                os.fsync(output.fileno())
            written.replace(self.file)
        finally:
            written.unlink(missing_ok=True)
        return replace(self, text=text)


def lock_text(releases: Mapping[Name, Release]) -> str:
    """The one form of these releases: a line for each part, plans and parts by name, versions from old to new."""
    plans: dict[str, dict[str, Any]] = {}
    for id, version in sorted(releases, key=lambda name: (name[0], precedence(name[1]))):
        release = releases[id, version]
        entry: dict[str, Any] = {"digest": release.digest, "released": release.released.isoformat()}
        if release.file:
            entry["file"] = release.file
        if release.retired:
            entry["retired"] = release.retired.isoformat()
        plans.setdefault(id, {})[version] = {**entry, "parts": dict(sorted(release.parts.items()))}
    return json.dumps({"format": FORMAT, "plans": plans}, indent=2, ensure_ascii=False) + "\n"


# --- reading ---------------------------------------------------------------------------------------------------


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Release(_Model):
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    released: date
    retired: date | None = None
    file: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""
    parts: dict[str, Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{PART_HASH_LENGTH}}}$")]]


class _File(_Model):
    format: Literal[1]
    plans: dict[Id, dict[Version, _Release]]


class _Repeated(Exception):
    """A key that is there twice, as after joining two changes carelessly."""


def _releases(text: str, file: str) -> dict[Name, Release]:
    try:
        json.loads(text, object_pairs_hook=_without_repeats)
        checked = _File.model_validate_json(text)
    except json.JSONDecodeError as error:
        problem = Problem(file, error.lineno, error.colno, "", "lock_not_json", {"reason": error.msg})
        raise PlanInvalid([problem]) from None
    except _Repeated as repeated:
        raise PlanInvalid([Problem(file, 1, 1, "", "lock_repeated_key", {"value": str(repeated)})]) from None
    except RecursionError:
        raise PlanInvalid([Problem(file, 1, 1, "", "lock_not_json", {"reason": "nested too deep"})]) from None
    except ValidationError as error:
        raise PlanInvalid(list(_wrong_shape(error, text, file))) from None
    return {
        (id, version): Release(entry.digest, entry.released, entry.parts, entry.retired, entry.file)
        for id, versions in checked.plans.items()
        for version, entry in versions.items()
    }


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Repeated(next(key for key in keys if keys.count(key) > 1))
    return found


def _wrong_shape(error: ValidationError, text: str, file: str) -> Iterator[Problem]:
    for each in error.errors(include_url=False):
        path = [str(part) for part in each["loc"] if part != "[key]"]
        line, column = _mark(text, path)
        yield Problem(file, line, column, "/".join(path), "lock_shape", {"reason": each["msg"]})


def _mark(text: str, keys: Iterator[str] | list[str] | tuple[str, ...]) -> tuple[int, int]:
    """Where these keys are, one within the other, by looking for them in turn: json gives no places."""
    at = 0
    for key in keys:
        found = text.find(f"{json.dumps(key, ensure_ascii=False)}:", at)
        if found < 0:
            break
        at = found
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
