"""What the pages about erasing show. What stands somewhere is read when a page is asked for, and kept nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.engine.definition import Text
from app.engine.run import StageRef
from app.features.erasure.forms import PASSAGE, as_field
from app.storage.erasure import people, requests
from app.storage.erasure.items import Item, Kind, Passage
from app.storage.erasure.matching import Terms
from app.storage.erasure.people import Account, AccountNotFound
from app.storage.erasure.places import Place, Places
from app.storage.erasure.requests import Request, Status
from app.storage.erasure.searching import search
from app.storage.people import names_of

AROUND = 90  # characters that are shown before and after a passage
WHOLE_MAX = 600  # characters of a text that goes altogether
LIST_MAX = 100  # requests


@dataclass(frozen=True, slots=True)
class Segment:
    """`goes`: this part would be erased. `is_cut`: something was left out of the page before it. `begins`: another
    text than the segment before it."""

    text: str
    goes: bool = False
    is_cut: bool = False
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One item on a page. `part`: the step and question, or nothing; `address`: where it can be read in its place."""

    kind: Kind
    run: str
    part: tuple[Text, ...]
    address: str | None
    by: str
    at: datetime
    is_current: bool
    has_file: bool
    file_goes: bool
    segments: tuple[Segment, ...]
    field: str
    choice: str = PASSAGE


@dataclass(frozen=True, slots=True)
class FoundPage:
    lines: tuple[Line, ...]
    has_more: bool
    searched_at: datetime


@dataclass(frozen=True, slots=True)
class RequestLine:
    request: Request
    asked_by: str
    decided_by: str
    about: str


@dataclass(frozen=True, slots=True)
class RequestPage:
    """`lines` and `account` only while it waits: afterwards there is nothing to show."""

    line: RequestLine
    lines: tuple[Line, ...] = ()
    account: Account | None = None
    missing: int = 0


def list_page(session: Session) -> tuple[list[RequestLine], list[RequestLine]]:
    """Those that wait, and the latest of those that were decided on: two queries."""
    found = requests.requests(session, limit=LIST_MAX)
    lines = _request_lines(session, found)
    waiting = [line for line in lines if line.request.status is Status.ASKED]
    return waiting, [line for line in lines if line.request.status is not Status.ASKED]


def _request_lines(session: Session, found: Sequence[Request]) -> list[RequestLine]:
    names = names_of(session, {id for each in found for id in (each.asked_by, each.decided_by, each.account)})
    return [
        RequestLine(
            each, names.get(each.asked_by, ""), names.get(each.decided_by or "", ""), names.get(each.account or "", "")
        )
        for each in found
    ]


def found_page(session: Session, terms: Terms, *, at: datetime) -> FoundPage:
    places = Places(session)
    hits, has_more = search(places, terms)
    pairs = [(hit.place, hit.passage_item) for hit in hits]
    return FoundPage(tuple(_lines(session, places, pairs)), has_more, at)


def chosen_page(session: Session, found: Sequence[Item], choices: Sequence[str], *, at: datetime) -> FoundPage:
    """The same page again, with what was chosen on it."""
    places = Places(session)
    there = places.of([item.key for item in found])
    pairs = [(there[item.key], item) for item in found if item.key in there]
    chosen = {item.key: choice for item, choice in zip(found, choices, strict=True)}
    lines = _lines(session, places, pairs)
    kept = [item for item in found if item.key in there]
    return FoundPage(
        tuple(_with_choice(line, chosen[item.key]) for line, item in zip(lines, kept, strict=True)), False, at
    )


def _with_choice(line: Line, choice: str) -> Line:
    values = {name: getattr(line, name) for name in Line.__dataclass_fields__}
    return Line(**{**values, "choice": choice})


def request_page(session: Session, id: str) -> RequestPage:
    """Raises ErasureNotFound."""
    request = requests.find(session, id)
    [line] = _request_lines(session, [request])
    if request.status is not Status.ASKED:
        return RequestPage(line)
    if request.account:
        try:
            return RequestPage(line, account=people.find_account(session, request.account))
        except AccountNotFound:
            return RequestPage(line, missing=1)
    places = Places(session)
    there = places.of([item.key for item in request.items])
    pairs = [(there[item.key], item) for item in request.items if item.key in there]
    return RequestPage(line, tuple(_lines(session, places, pairs)), missing=len(request.items) - len(pairs))


# --- one item --------------------------------------------------------------------------------------------------


def _lines(session: Session, places: Places, pairs: Sequence[tuple[Place, Item]]) -> list[Line]:
    names = names_of(session, {place.by for place, _ in pairs})
    return [_line(places, place, item, names.get(place.by, "")) for place, item in pairs]


def _line(places: Places, place: Place, item: Item, by: str) -> Line:
    run = places.runs.get(place.key.run or "")
    return Line(
        kind=place.key.kind,
        run=run.name if run else "",
        part=tuple(_part(places, place)),
        address=_address(place),
        by=by,
        at=place.at,
        is_current=place.is_current,
        has_file=place.file is not None,
        file_goes=place.file is not None and item.passages is None,
        segments=tuple(_segments(place, item)),
        field=as_field(item),
    )


def _part(places: Places, place: Place) -> Iterator[Text]:
    run = places.runs.get(place.key.run or "")
    if run is None or not place.step:
        return
    stage = places.plans[run.digest].stages_by_id.get(StageRef.parse(place.ref).stage)
    step = stage.steps_by_id.get(place.step) if stage else None
    if stage is None or step is None:
        return  # of a part that an earlier version of the plan had
    yield stage.title
    yield step.title
    yield from (question.text for question in step.questions if question.id == place.question)


def _address(place: Place) -> str | None:
    run = f"/trajecten/{place.key.run}"
    match place.key.kind:
        case Kind.ANSWER if place.is_current:
            part = "checklist" if place.step == "checklist" else f"stappen/{place.step}"
            return f"{run}/fasen/{place.ref}/{part}"
        case Kind.ANSWER | Kind.TEXT:
            return f"{run}/geschiedenis"
        case Kind.EVIDENCE:
            return f"{run}/bewijsstukken/{place.key.id}"
        case Kind.MASS_MOVE:
            return f"/beheer/overzetten/{place.key.id}"
        case Kind.LOCAL_PLAN:
            return f"/beheer/stappenplannen/{place.key.id}"
        case Kind.MANDATE:
            return "/vervanging"


def _segments(place: Place, item: Item) -> Iterator[Segment]:
    for path, text in place.texts.items():
        if item.passages is None:
            yield Segment(text[:WHOLE_MAX], goes=True, begins=True)
            if len(text) > WHOLE_MAX:
                yield Segment("", is_cut=True)
            continue
        if passages := [passage for passage in item.passages if passage.path == path]:
            yield from _around(text, passages)


def _around(text: str, passages: Iterable[Passage]) -> Iterator[Segment]:
    done = 0
    for passage in sorted(passages):
        start = max(done, passage.start - AROUND)
        yield Segment(text[start : passage.start], is_cut=start > done, begins=done == 0)
        yield Segment(text[passage.start : passage.end], goes=True)
        done = passage.end
    yield Segment(text[done : done + AROUND])
    if len(text) > done + AROUND:
        yield Segment("", is_cut=True)
