"""From bytes to values that remember their place in the file.

The events of libyaml are composed here instead of by PyYAML: that resolves by YAML 1.1 (`no` becomes False, 12:30
becomes 750), keeps the last of two equal keys in silence, expands aliases without end and recurses as deep as the file
says.
Scalars follow the core schema of YAML 1.2; everything that a step plan does not need is refused while reading,
so that a hostile file costs no more than the part that was read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from app.catalogue.problems import PROBLEMS_MAX, Finding, Mark, Path
from app.catalogue.sentences import SYNTAX

BYTES_MAX = 256 * 1024
DEPTH_MAX = 16  # the format itself is 13 deep: a translated title of an option of a column of a question
VALUES_MAX = 25_000  # with aliases written out; the released plan has 7,000
ITEMS_MAX = 500  # in one list or mapping; what may be longest, the steps of a stage, goes up to this
ALIASES_MAX = 20

Value = object


class MarkedDict(dict[str, Value]):
    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks: dict[str, tuple[Mark, Mark]] = {}  # per key: of the key, of the value


class MarkedList(list[Value]):
    __slots__ = ("marks",)

    def __init__(self) -> None:
        self.marks: list[Mark] = []


@dataclass(slots=True)
class Tree:
    """`is_whole` is False where reading stopped halfway: then `findings` say why, and `root` must not be used."""

    root: Value = None
    findings: list[Finding] = field(default_factory=list)
    is_whole: bool = False
    mark: Mark = (1, 1)
    lines: list[str] = field(default_factory=list)

    def place(self, path: Path, *, at_key: bool = False) -> Mark:
        """Where a path is; of a path that is not there, the nearest part around it that is."""
        here, key_mark, mark = self.root, self.mark, self.mark
        for part in path:
            if isinstance(here, MarkedDict) and isinstance(part, str) and part in here:
                key_mark, mark = here.marks[part]
                here = here[part]
            elif isinstance(here, MarkedList) and isinstance(part, int) and part < len(here):
                key_mark = mark = here.marks[part]
                here = here[part]
            else:
                return mark
        return key_mark if at_key else mark

    def spelling(self, path: Path) -> str:
        """How a number or truth value is written; empty for one that an alias stands for."""
        line, column = self.place(path)
        found = _PLAIN_WORD.match(self.lines[line - 1], column - 1)
        return found[0] if found else ""


def read(data: bytes) -> Tree:
    """Never raises for what is in the data."""
    tree = Tree()
    try:
        text = _decoded(data)
        tree.lines = _LINE_END.split(text)
        _Composer(tree).compose(text)
        # Shape and meaning would miss what was to be merged.
        tree.is_whole = all(finding.code != "merge_key" for finding in tree.findings)
    except _Stop as stop:
        if stop.finding:
            tree.findings.append(stop.finding)
    return tree


class _Stop(Exception):
    """Reading on makes no sense; without a finding because there are so many."""

    def __init__(self, finding: Finding | None = None) -> None:
        self.finding = finding


# --- characters ------------------------------------------------------------------------------------------------

# What YAML 1.2 calls printable, without the line ends of YAML 1.1 (U+0085, U+2028, U+2029): libyaml still breaks lines
# there, so that the text would change and the line numbers would be wrong.
_UNWANTED = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile("\r\n|\r|\n")
_PLAIN_WORD = re.compile(r"[-+.\w]+")
_DIRECTIVE = re.compile(r"(?<![^\r\n])%")


def _decoded(data: bytes) -> str:
    if len(data) > BYTES_MAX:
        raise _Stop(Finding("too_large", params={"limit": BYTES_MAX // 1024}))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Stop(Finding("not_utf8"))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        raise _Stop(Finding("not_utf8", mark=_end_of(before))) from None
    if unwanted := _UNWANTED.search(text):
        character = f"U+{ord(unwanted[0]):04X}"
        raise _Stop(Finding("unwanted_character", mark=_end_of(text[: unwanted.start()]), params={"value": character}))
    # libyaml compares each %TAG with all before it, which thousands of them make slow; we need no directives at all.
    if directive := _DIRECTIVE.search(text):
        raise _Stop(Finding("directive", mark=_end_of(text[: directive.start()])))
    return text


def _end_of(text: str) -> Mark:
    lines = _LINE_END.split(text)
    return len(lines), len(lines[-1]) + 1


# --- scalars ---------------------------------------------------------------------------------------------------

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# Longer numbers are no numbers of ours; Python would refuse to read 5,000 digits.
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_OCTAL = re.compile(r"0o[0-7]{1,30}")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,30}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,4})?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAY_RESOLVE = frozenset("~nNtTfF-+.0123456789")


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain (unquoted) scalar in the core schema of YAML 1.2."""
    if text in _NULL:
        return None
    if text[0] not in _MAY_RESOLVE:
        return text
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


# --- composing -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled. `is_wanted` is False for the value of a repeated key, which is read and
    left out."""

    values: MarkedDict | MarkedList
    anchor: str | None
    values_before: int
    is_mapping: bool
    waits_for_key: bool
    key: str = ""
    key_mark: Mark = (1, 1)
    is_wanted: bool = True
    height: int = 1  # levels inside, for aliases


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Value
    size: int
    height: int


def _mark(event: Event) -> Mark:
    start = event.start_mark
    assert start is not None, "libyaml marks every event"
    return start.line + 1, start.column + 1


class _Composer:
    """Scalars are most of a file: their way through here is short, and the rest is told apart after them."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.open: list[_Open] = []
        self.anchors: dict[str, _Anchored] = {}
        self.values = self.aliases = 0

    def compose(self, text: str) -> None:
        """Raises _Stop where going on makes no sense."""
        documents = 0
        try:
            for event in yaml.parse(text, yaml.CSafeLoader):
                if isinstance(event, ScalarEvent):
                    self._scalar(event)
                elif isinstance(event, MappingStartEvent):
                    self._start(event, MarkedDict())
                elif isinstance(event, SequenceStartEvent):
                    self._start(event, MarkedList())
                elif isinstance(event, CollectionEndEvent):
                    self._end()
                elif isinstance(event, AliasEvent):
                    self._alias(event)
                elif isinstance(event, DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        raise _Stop(Finding("several_documents", mark=_mark(event)))
        except yaml.YAMLError as error:
            raise _Stop(_syntax(error, text)) from None
        if self.tree.root is None:
            self.tree.findings.clear()
            raise _Stop(Finding("empty_document", mark=(1, 1)))

    def _scalar(self, event: ScalarEvent) -> None:
        value: Value = event.value
        style, mark = event.style, _mark(event)
        if event.tag is not None:
            self._found("tag", event, value=event.tag)
        if style == '"' and _UNWANTED.search(event.value):
            self._found("control_character", event)
        if self.open and self.open[-1].waits_for_key:
            self._key(event, mark)
        else:
            self.values += 1
            if self.values > VALUES_MAX:
                raise _Stop(self._finding("too_many_values", event, limit=VALUES_MAX))
            if not style:
                value = resolve(event.value)
                if value is None and self.open:
                    self._found("no_value", event)
            self._put(value, mark)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(value, 1, 0)

    def _start(self, event: CollectionStartEvent, values: MarkedDict | MarkedList) -> None:
        if event.tag is not None:
            self._found("tag", event, value=event.tag)
        if self.open and self.open[-1].waits_for_key:
            raise _Stop(self._finding("not_a_key", event))
        if len(self.open) >= DEPTH_MAX:
            raise _Stop(self._finding("too_deep", event, limit=DEPTH_MAX))
        self.values += 1
        if self.values > VALUES_MAX:
            raise _Stop(self._finding("too_many_values", event, limit=VALUES_MAX))
        self._put(values, _mark(event), stays_open=True)
        if event.anchor:
            self.anchors.pop(event.anchor, None)  # until it is closed an alias would lead back into itself
        is_mapping = values.__class__ is MarkedDict
        self.open.append(_Open(values, event.anchor, self.values - 1, is_mapping, waits_for_key=is_mapping))

    def _end(self) -> None:
        done = self.open.pop()
        if done.anchor:
            self.anchors[done.anchor] = _Anchored(done.values, self.values - done.values_before, done.height)
        if self.open:
            around = self.open[-1]
            around.waits_for_key = around.is_mapping
            if around.height <= done.height:
                around.height = done.height + 1

    def _alias(self, event: AliasEvent) -> None:
        around = self.open[-1] if self.open else None
        if around and around.waits_for_key:
            raise _Stop(self._finding("not_a_key", event))
        self.aliases += 1
        if self.aliases > ALIASES_MAX:
            raise _Stop(self._finding("too_many_aliases", event, limit=ALIASES_MAX))
        name = event.anchor or ""
        anchored = self.anchors.get(name)
        if anchored is None:
            is_around = any(collection.anchor == name for collection in self.open)
            raise _Stop(self._finding("alias_in_itself" if is_around else "unknown_alias", event, value=name))
        self.values += anchored.size
        if self.values > VALUES_MAX:
            raise _Stop(self._finding("too_many_values", event, limit=VALUES_MAX))
        if len(self.open) + anchored.height > DEPTH_MAX:
            raise _Stop(self._finding("too_deep", event, limit=DEPTH_MAX))
        if around:
            around.height = max(around.height, 1 + anchored.height)
        self._put(anchored.value, _mark(event))

    def _key(self, event: ScalarEvent, mark: Mark) -> None:
        key, around = event.value, self.open[-1]
        around.key, around.key_mark, around.waits_for_key, around.is_wanted = key, mark, False, True
        assert isinstance(around.values, MarkedDict)
        if key == "<<":
            around.is_wanted = False
            self._add(Finding("merge_key", self._path(), at_key=True, mark=mark))
        elif key in around.values:
            around.is_wanted = False
            first = around.values.marks[key][0][0]
            self._add(Finding("repeated_key", self._path(), {"line": first}, at_key=True, mark=mark))

    def _put(self, value: Value, mark: Mark, *, stays_open: bool = False) -> None:
        """Gives a value its place; a mapping then waits for its next key, unless the value is still being filled."""
        if not self.open:
            self.tree.root, self.tree.mark = value, mark
            return
        around = self.open[-1]
        values = around.values
        if len(values) >= ITEMS_MAX:
            raise _Stop(Finding("too_many_items", self._path()[:-1], {"limit": ITEMS_MAX}, mark=mark))
        if isinstance(values, MarkedList):
            values.append(value)
            values.marks.append(mark)
            return
        if around.is_wanted:
            values[around.key] = value
            values.marks[around.key] = (around.key_mark, mark)
        if not stays_open:
            around.waits_for_key = True

    # --- findings ---

    def _path(self, *, next_item: bool = False) -> Path:
        """Of the value that is being read; `next_item` for one that its list does not hold yet."""
        path: list[str | int] = []
        for number, each in enumerate(self.open, 1):
            if isinstance(each.values, MarkedList):
                path.append(len(each.values) - (0 if next_item and number == len(self.open) else 1))
            elif not each.waits_for_key:
                path.append(each.key)
        return tuple(path)

    def _finding(self, code: str, event: Event, **params: str | int) -> Finding:
        return Finding(code, self._path(next_item=True), params, mark=_mark(event))

    def _found(self, code: str, event: Event, **params: str | int) -> None:
        self._add(self._finding(code, event, **params))

    def _add(self, finding: Finding) -> None:
        self.tree.findings.append(finding)
        if len(self.tree.findings) > PROBLEMS_MAX:
            raise _Stop


def _syntax(error: yaml.YAMLError, text: str) -> Finding:
    """libyaml's words are for who knows the grammar; the common ones get a sentence of ours."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return Finding("yaml_other", params={"reason": str(error)})
    problem = str(error.problem)
    mark = error.problem_mark or error.context_mark
    where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    code = SYNTAX.get(problem, "yaml_other")
    params: dict[str, str | int] = {"reason": problem}
    if code == "yaml_character" and mark:
        character = text[mark.index : mark.index + 1]
        code, params = ("yaml_tab", {}) if character == "\t" else (code, {"value": character})
    elif code == "yaml_quote":
        params = {"line": error.context_mark.line + 1 if error.context_mark else where[0]}
    return Finding(code, params=params, mark=where)
