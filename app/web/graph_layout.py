"""Where the boxes and arrows of a drawing go: in columns from left to right, in the order that the arrows say.

Pure and deterministic: the same boxes and arrows give the same drawing. The way is the usual one (Sugiyama): columns
by the longest road, places for long arrows between the boxes, few crossings, then heights. Boxes never overlap, and
arrows pass a column only where no box is.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SWEEPS = 12  # there and back; after that hardly anything moves
PASSAGE = 8.0  # height of the place of an arrow that passes a column
PORT_STEP = 13.0  # between arrows that arrive at one box, where it is high enough
HEAD = 8.0  # length of an arrowhead

Key = tuple[str, ...]
"""Of what stands in a column: (box,), or (box that the arrow comes from, its kind, column) where an arrow passes."""


@dataclass(frozen=True, slots=True)
class Size:
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Arrow:
    source: str
    target: str
    kind: str


@dataclass(frozen=True, slots=True)
class Place:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """`points` go in pairs: horizontal from the first to the second of a pair, and curved from pair to pair. The head
    is at the last point."""

    arrow: Arrow
    points: tuple[tuple[float, float], ...]

    def path(self, margin: float = 0) -> str:
        """For the attribute `d` of an SVG path; `margin` is added to every place."""
        (x, y), *rest = ((x + margin, y + margin) for x, y in self.points)
        parts = [f"M{_short(x)} {_short(y)}"]
        for number, (to_x, to_y) in enumerate(rest):
            if number % 2 == 0:
                parts.append(f"H{_short(to_x)}")
            else:
                middle = _short((x + to_x) / 2)
                parts.append(f"C{middle} {_short(y)} {middle} {_short(to_y)} {_short(to_x)} {_short(to_y)}")
            x, y = to_x, to_y
        return "".join(parts)

    def head(self, margin: float = 0) -> str:
        """The arrowhead, likewise."""
        x, y = (each + margin for each in self.points[-1])
        back = -HEAD if self.points[0][0] <= x else HEAD
        return f"M{_short(x)} {_short(y)}l{_short(back)} -4v8z"


@dataclass(frozen=True, slots=True)
class Layout:
    width: float
    height: float
    places: Mapping[str, Place]
    lines: tuple[Line, ...]


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def lay_out(
    boxes: Mapping[str, Size],
    arrows: Sequence[Arrow],
    *,
    late: Collection[str] = (),
    column_gap: float = 52,
    row_gap: float = 22,
) -> Layout:
    """`late` boxes stand as near to what follows them as they can. Arrows of one kind from one box share their way for
    as long as they can. Arrows in a circle are drawn too; one of them then points back."""
    drawing = _Drawing(boxes, arrows, late, column_gap, row_gap)
    return drawing.layout()


@dataclass(slots=True)
class _Column:
    keys: list[Key] = field(default_factory=list)
    x: float = 0
    width: float = 0

    def ranks(self) -> dict[Key, int]:
        return {key: number for number, key in enumerate(self.keys)}


class _Drawing:
    def __init__(
        self,
        boxes: Mapping[str, Size],
        arrows: Sequence[Arrow],
        late: Collection[str],
        column_gap: float,
        row_gap: float,
    ) -> None:
        self.boxes, self.column_gap, self.row_gap = boxes, column_gap, row_gap
        self.arrows = [arrow for arrow in dict.fromkeys(arrows) if arrow.source != arrow.target]
        self.turned = _turned(self.arrows)
        self.column_of = _columns([self._ends(arrow) for arrow in self.arrows], boxes, late)
        self.columns = [_Column() for _ in range(max(self.column_of.values(), default=0) + 1)]
        self.roads = {arrow: self._road(arrow) for arrow in self.arrows}
        self.before: dict[Key, list[Key]] = defaultdict(list)
        self.after: dict[Key, list[Key]] = defaultdict(list)
        self._fill()
        self.centre: dict[Key, float] = {}

    def _ends(self, arrow: Arrow) -> tuple[str, str]:
        """From left to right."""
        return (arrow.target, arrow.source) if arrow in self.turned else (arrow.source, arrow.target)

    def _road(self, arrow: Arrow) -> list[Key]:
        left, right = self._ends(arrow)
        kind = f"{arrow.kind}<" if arrow in self.turned else arrow.kind
        passes = range(self.column_of[left] + 1, self.column_of[right])
        return [(left,), *((left, kind, str(column)) for column in passes), (right,)]

    def _fill(self) -> None:
        for box in self.boxes:
            self.columns[self.column_of[box]].keys.append((box,))
        for key in dict.fromkeys(key for road in self.roads.values() for key in road[1:-1]):
            self.columns[int(key[2])].keys.append(key)
        pairs = dict.fromkeys(pair for road in self.roads.values() for pair in pairwise(road))
        for left, right in pairs:
            self.after[left].append(right)
            self.before[right].append(left)
        x = 0.0
        for column in self.columns:
            column.x = x
            column.width = max((self._width(key) for key in column.keys), default=0)
            x += column.width + self.column_gap

    def _width(self, key: Key) -> float:
        return self.boxes[key[0]].width if len(key) == 1 else 0

    def _height(self, key: Key) -> float:
        return self.boxes[key[0]].height if len(key) == 1 else PASSAGE

    def layout(self) -> Layout:
        self._order()
        self._set_heights()
        places = {
            box: Place(
                column.x + (column.width - size.width) / 2, self.centre[box,] - size.height / 2, size.width, size.height
            )
            for box, size in self.boxes.items()
            for column in [self.columns[self.column_of[box]]]
        }
        lines = tuple(self._lines(places))
        last = self.columns[-1]
        height = max((self.centre[key] + self._height(key) / 2 for key in self.centre), default=0)
        return Layout(last.x + last.width, height, places, lines)

    # --- few crossings ---

    def _order(self) -> None:
        """Each key in the middle of what it is tied to, column by column, there and back; the best order stays."""
        best, fewest = [list(column.keys) for column in self.columns], self._crossings()
        for sweep in range(SWEEPS):
            columns, tied = (self.columns, self.before) if sweep % 2 == 0 else (self.columns[::-1], self.after)
            for settled, column in pairwise(columns):
                _sort(column, settled, tied)
            if (crossings := self._crossings()) < fewest:
                best, fewest = [list(column.keys) for column in self.columns], crossings
        for column, keys in zip(self.columns, best, strict=True):
            column.keys = keys

    def _crossings(self) -> int:
        total = 0
        for column, following in pairwise(self.columns):
            rank = following.ranks()
            passed: list[int] = []
            for key in column.keys:
                ends = [rank[other] for other in self.after.get(key, ())]
                total += sum(len(passed) - bisect_right(passed, end) for end in ends)
                for end in ends:
                    insort(passed, end)
        return total

    # --- heights ---

    def _set_heights(self) -> None:
        for column in self.columns:
            y = 0.0
            for key in column.keys:
                self.centre[key] = y + self._height(key) / 2
                y += self._height(key) + self.row_gap
        for sweep in range(SWEEPS):
            forward = sweep % 2 == 0
            for column in self.columns if forward else reversed(self.columns):
                self._settle(column, self.before if forward else self.after)
        top = min((self.centre[key] - self._height(key) / 2 for key in self.centre), default=0)
        for key in self.centre:
            self.centre[key] -= top

    def _settle(self, column: _Column, tied: Mapping[Key, list[Key]]) -> None:
        wanted = []
        for key in column.keys:
            others = [self.centre[other] for other in tied.get(key, ())]
            wanted.append(sum(others) / len(others) if others else self.centre[key])
        apart = [self._apart(one, other) for one, other in pairwise(column.keys)]
        for key, centre in zip(column.keys, _nearest(wanted, apart), strict=True):
            self.centre[key] = centre

    def _apart(self, one: Key, other: Key) -> float:
        passes = len(one) > 1 or len(other) > 1
        gap = self.row_gap / 2 if passes else self.row_gap
        return (self._height(one) + self._height(other)) / 2 + gap

    # --- arrows ---

    def _lines(self, places: Mapping[str, Place]) -> Iterable[Line]:
        arriving, leaving = self._ports()
        for arrow, road in self.roads.items():
            left, right = places[road[0][0]], places[road[-1][0]]
            first = self.columns[self.column_of[road[0][0]]]
            kind = f"{arrow.kind}<" if arrow in self.turned else arrow.kind
            y = leaving[road[0][0], kind]
            points = [(left.x + left.width, y), (first.x + first.width, y)]
            for key in road[1:-1]:
                column = self.columns[int(key[2])]
                points += [(column.x, self.centre[key]), (column.x + column.width, self.centre[key])]
            y = arriving[_last_step(road), kind]
            points += [(self.columns[self.column_of[road[-1][0]]].x, y), (right.x, y)]
            yield Line(arrow, tuple(reversed(points) if arrow in self.turned else points))

    def _ports(self) -> tuple[dict[tuple[tuple[Key, Key], str], float], dict[tuple[str, str], float]]:
        """Where arrows touch a box: those that arrive each at a height of their own, those that leave one for each
        kind."""
        come: dict[str, list[tuple[float, tuple[Key, Key], str]]] = defaultdict(list)
        go: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for arrow, road in self.roads.items():
            kind = f"{arrow.kind}<" if arrow in self.turned else arrow.kind
            come[road[-1][0]].append((self.centre[road[-2]], _last_step(road), kind))
            go[road[0][0]][kind].append(self.centre[road[1]])
        arriving = {}
        for box, ends in come.items():
            for y, (_, end, kind) in zip(self._spread(box, len(ends)), sorted(ends), strict=True):
                arriving[end, kind] = y
        leaving = {}
        for box, kinds in go.items():
            ordered = sorted((sum(heights) / len(heights), kind) for kind, heights in kinds.items())
            for y, (_, kind) in zip(self._spread(box, len(ordered)), ordered, strict=True):
                leaving[box, kind] = y
        return arriving, leaving

    def _spread(self, box: str, number: int) -> list[float]:
        step = min(PORT_STEP, self.boxes[box].height / (number + 1))
        return [self.centre[box,] + (index - (number - 1) / 2) * step for index in range(number)]


def _sort(column: _Column, settled: _Column, tied: Mapping[Key, list[Key]]) -> None:
    """Each in the middle of what it is tied to in the settled column; what is tied to nothing stays where it is."""
    rank = settled.ranks()
    scale = len(settled.keys) / max(len(column.keys), 1)

    def middle(at: tuple[int, Key]) -> float:
        number, key = at
        ranks = [rank[other] for other in tied.get(key, ())]
        return sum(ranks) / len(ranks) if ranks else number * scale

    column.keys = [key for _, key in sorted(enumerate(column.keys), key=middle)]


def _last_step(road: list[Key]) -> tuple[Key, Key]:
    return road[-2], road[-1]


def _turned(arrows: Sequence[Arrow]) -> set[Arrow]:
    """The arrows that would close a circle; earlier ones keep their direction."""
    after: dict[str, set[str]] = defaultdict(set)
    turned = set()
    for arrow in arrows:
        if _leads(after, arrow.target, arrow.source):
            turned.add(arrow)
            after[arrow.target].add(arrow.source)
        else:
            after[arrow.source].add(arrow.target)
    return turned


def _leads(after: Mapping[str, set[str]], start: str, end: str) -> bool:
    todo, seen = [start], {start}
    while todo:
        here = todo.pop()
        if here == end:
            return True
        new = after.get(here, set()) - seen
        seen |= new
        todo += new
    return False


def _columns(ends: Sequence[tuple[str, str]], boxes: Iterable[str], late: Collection[str]) -> dict[str, int]:
    """The longest road to each box."""
    column = dict.fromkeys(boxes, 0)
    moved = True
    while moved:
        moved = False
        for left, right in ends:
            if column[right] <= column[left]:
                column[right] = column[left] + 1
                moved = True
    for box in sorted(late, key=column.__getitem__, reverse=True):
        column[box] = min((column[right] - 1 for left, right in ends if left == box), default=column[box])
    return column


def _nearest(wanted: Sequence[float], apart: Sequence[float]) -> list[float]:
    """The places nearest to what is wanted, in this order and at least so far apart: neighbours that want to be too
    near move as one block, around the middle of what they want."""
    shift = [0.0]
    for distance in apart:
        shift.append(shift[-1] + distance)
    blocks: list[list[float]] = []  # sum of what is wanted, and how many
    for want, moved in zip(wanted, shift, strict=False):
        blocks.append([want - moved, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, number = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += number
    flat = [total / number for total, number in blocks for _ in range(int(number))]
    return [base + moved for base, moved in zip(flat, shift, strict=False)]
