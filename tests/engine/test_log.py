"""What is hashed and signed: the same bytes for ever, one line of printable ASCII, and no names or free text."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.events import Event
from app.engine.log import Head, canonical, entry, fingerprint, head_hash, moment, read_head

RUN, USER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
AT = datetime(2027, 3, 1, 9, 0, 0, 120, tzinfo=UTC)
HEAD = Head(municipality=RUN, number=3, size=7, root="ab" * 32, previous="cd" * 32, at=AT, key="ef" * 32, next_key=None)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_entry_is_these_bytes_for_ever():
    written = entry(
        4, run=RUN, sequence=2, kind="StepSaved", data={"step": "é\x7f", "ref": "a.1"}, by=USER, at=AT, origin="request"
    )
    assert written == (
        b'{"at":"2027-03-01T09:00:00.000120Z","by":"22222222-2222-4222-8222-222222222222",'
        b'"data":{"ref":"a.1","step":"\\u00e9\\u007f"},"format":1,"kind":"StepSaved","origin":"request","position":4,'
        b'"run":"11111111-1111-4111-8111-111111111111","sequence":2}'
    )


def test_head_is_these_bytes_for_ever():
    assert HEAD.document() == (
        b'{"at":"2027-03-01T09:00:00.000120Z","format":"stappenplan-head-1","key":"' + b"ef" * 32 + b'",'
        b'"municipality":"11111111-1111-4111-8111-111111111111","next_key":null,"number":3,'
        b'"previous":"' + b"cd" * 32 + b'","root":"' + b"ab" * 32 + b'","size":7}'
    )
    assert head_hash(HEAD.document()) == "ea64ce704aaa8e5711236c941214b2dbc63d821ef1da2066152ca20cf6001d8a"


def test_head_is_read_as_it_was_written():
    assert read_head(HEAD.document()) == HEAD


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"[]",
        b"{}",
        HEAD.document() + b" ",
        HEAD.document().replace(b'"size":7', b'"size": 7'),
        HEAD.document().replace(b"head-1", b"head-2"),
        HEAD.document().replace(b',"size":7', b""),
        HEAD.document().replace(b'"size":7', b'"size":7,"more":1'),
        HEAD.document().replace(b"2027-03-01T", b"yesterday "),
    ],
)
def test_what_is_no_head_is_refused(wrong: bytes):
    with pytest.raises(ValueError, match="not a head"):
        read_head(wrong)


def test_what_could_change_how_a_line_looks_is_escaped():
    assert canonical({"b": "\x7f", "a": "é\n"}) == b'{"a":"\\u00e9\\n","b":"\\u007f"}'


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_not_written(number: float):
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": number})


@given(JSON_VALUES)
def test_canonical_json_is_one_printable_line_that_reads_back(value: Any):
    line = canonical(value)
    assert json.loads(line) == value
    assert canonical(json.loads(line)) == line
    assert all(0x20 <= byte < 0x7F for byte in line)


def test_moment_is_in_utc_whatever_the_zone():
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert moment(there) == moment(AT) == "2027-03-01T09:00:00.000120Z"


def test_moment_is_in_utc_wherever_the_machine_stands(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert moment(AT) == "2027-03-01T09:00:00.000120Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_fingerprint_is_what_openssl_makes_of_the_key():
    """openssl pkey -pubin -outform DER | sha256sum, of the first key of RFC 8032, section 7.1."""
    key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert fingerprint(key) == "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"


# --- no names, no free text ----------------------------------------------------------------------------------------

# Every place in an event, at whatever depth, that holds text, and what that text is. Whoever adds one decides here.
PEOPLE = {
    *(
        "added_by",
        "adviser",
        "asked_by",
        "authors",
        "by",
        "changed_by",
        "completed_by",
        "contributors",
        "given_by",
        "judged_by",
        "manager",
    ),
    *("on_behalf_of", "owner", "proposed_by", "reported_by", "started_by", "team", "workers"),
    "withdrawn_by",
}
GROUNDS = {"ground"}  # of the law, by a code
ERASABLE = {  # ids of texts that are kept in run_text, where they can be erased
    *("changed", "early_reason", "finding", "findings", "message", "name", "purpose", "question", "reason", "reasons"),
    *("remark", "reopened_reason", "report", "round_reason", "skip_reason", "taken_back_reason", "text"),
}
IDS = {
    "advice",
    "earlier_run",
    "erasure",
    "evidence",
    "id",
    "mandate",
    "move",
    "point",
    "proposal",
    "request",
    "returned",
    "run",
}
IDS |= {"texts"}  # {id: commitment}, of what was erased
DIGESTS = {"commitment", "from_digest", "meaning", "outcome", "plan_digest", "seal", "to_digest"}
KEYS_OF_THE_PLAN = {
    *("answers", "choices", "decision", "domain", "domains", "from_version", "grounds", "key", "kind", "loaded"),
    *("plan_id", "plan_version", "roles", "stage", "step", "steps", "to_plan", "to_version", "type", "unmet_advice"),
}
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# No spaces and no capitals but those of kinds and moments: what people write does not fit in here for long.
NO_SENTENCE = re.compile(r"[A-Za-z0-9_.:@/#|+-]{0,200}")


def text_fields(kind: Any, name: str = "", seen: frozenset[Any] = frozenset()) -> Iterator[str]:
    """The names of the fields of an event, at whatever depth, whose type is text."""
    if get_origin(kind) is not None:
        for inside in get_args(kind):
            yield from text_fields(inside, name, seen)
    elif is_dataclass(kind) and kind not in seen:
        for field, type_of_field in get_type_hints(kind).items():
            yield from text_fields(type_of_field, field, seen | {kind})
    elif kind is str:
        yield name


def texts_in(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, inside in value.items():
                yield "key", key
                yield from texts_in(inside, name if name in ERASABLE else key)
        case list():
            for inside in value:
                yield from texts_in(inside, name)
        case str():
            yield name, value


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_no_kind_of_event_has_a_place_for_free_text(kind: Any):
    assert set(text_fields(kind)) <= PEOPLE | ERASABLE | IDS | DIGESTS | GROUNDS | KEYS_OF_THE_PLAN


def test_events_of_whole_runs_hold_no_sentences_and_texts_by_id_only():
    """The stored runs exercise every part of every released plan."""
    looked_at = 0
    for path in sorted(Path("tests/stored_runs").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines()[1:]:
            for name, text in texts_in(json.loads(line)):
                looked_at += 1
                assert NO_SENTENCE.fullmatch(text), (path.name, name, text)
                if name in PEOPLE | ERASABLE:
                    assert ID.fullmatch(text), (path.name, name, text)
    assert looked_at > 10_000
