"""Boxes in columns, arrows around them: what holds for every drawing, whatever the plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.web.graph_layout import Arrow, Layout, Place, Size, lay_out
from app.web.text_width import text_width, wrapped


def boxes(*names: str, width: float = 100, height: float = 50) -> dict[str, Size]:
    return dict.fromkeys(names, Size(width, height))


def arrows(*pairs: str, kind: str = "required") -> list[Arrow]:
    """From "a>b"."""
    ends = [pair.split(">") for pair in pairs]
    return [Arrow(source, target, kind) for source, target in ends]


def overlap(one: Place, other: Place) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def crossed(layout: Layout) -> Iterator[tuple[str, Arrow]]:
    """Boxes through which an arrow of others goes. Between columns there are no boxes; in one, arrows go straight."""
    for line in layout.lines:
        for (left, y), (right, _) in zip(line.points[::2], line.points[1::2], strict=True):
            for name, place in layout.places.items():
                if name not in (line.arrow.source, line.arrow.target):
                    beside = max(left, right) <= place.x or min(left, right) >= place.x + place.width
                    if not beside and place.y < y < place.y + place.height:
                        yield name, line.arrow


def test_what_follows_stands_further_to_the_right():
    places = lay_out(boxes("a", "b", "c", "d"), arrows("a>b", "b>c", "a>c")).places
    assert places["a"].x + places["a"].width < places["b"].x
    assert places["b"].x + places["b"].width < places["c"].x
    assert places["d"].x == places["a"].x


def test_long_arrow_goes_around_what_stands_between():
    layout = lay_out(boxes("a", "b", "c"), arrows("a>b", "b>c", "a>c"))
    assert list(crossed(layout)) == []
    long = layout.lines[2]
    assert len(long.points) == 6
    assert long.path().count("C") == 2


def test_late_box_stands_next_to_what_follows_it():
    given_boxes, given_arrows = boxes("a", "b", "c", "d"), arrows("a>b", "b>c", "d>c")
    early, late = lay_out(given_boxes, given_arrows), lay_out(given_boxes, given_arrows, late=["d"])
    assert early.places["d"].x == early.places["a"].x
    assert late.places["d"].x == late.places["b"].x


def test_arrows_that_need_not_cross_do_not():
    layout = lay_out(boxes("a", "b", "c", "x", "y", "z"), arrows("a>z", "b>y", "c>x"))
    ends = [(line.points[0][1], line.points[-1][1]) for line in layout.lines]
    for one, other in combinations(ends, 2):
        assert (one[0] - other[0]) * (one[1] - other[1]) > 0


def test_circle_is_drawn_with_one_arrow_that_points_back():
    layout = lay_out(boxes("a", "b"), arrows("a>b", "b>a"))
    there, back = layout.lines
    assert there.points[0][0] < there.points[-1][0]
    assert back.points[0][0] > back.points[-1][0]
    assert "l-8 " in there.head()
    assert "l8 " in back.head()


def test_arrows_arrive_apart_and_leave_together():
    layout = lay_out(boxes("a", "b", "c", "d"), arrows("a>c", "b>c", "a>d"))
    first, second, third = layout.lines
    assert first.points[-1] != second.points[-1]
    assert first.points[0] == third.points[0]


def test_nothing_to_draw_is_an_empty_drawing():
    assert lay_out({}, []) == Layout(0, 0, {}, ())
    assert lay_out(boxes("a"), []).places == {"a": Place(0, 0, 100, 50)}
    assert lay_out(boxes("a"), arrows("a>a")).lines == ()


NAMES = [f"b{number}" for number in range(12)]
some_sizes = st.builds(Size, st.integers(20, 200).map(float), st.integers(10, 150).map(float))
some_boxes = st.dictionaries(st.sampled_from(NAMES), some_sizes, min_size=1)


@st.composite
def drawings(draw: st.DrawFn) -> tuple[dict[str, Size], list[Arrow], list[str]]:
    found = draw(some_boxes)
    names = st.sampled_from(sorted(found))
    kinds = st.sampled_from(["required", "advised"])
    return found, draw(st.lists(st.builds(Arrow, names, names, kinds), max_size=30)), draw(st.lists(names, max_size=3))


@given(drawings())
@settings(max_examples=200)
def test_boxes_never_overlap_and_no_arrow_goes_through_one(drawing: tuple[dict[str, Size], list[Arrow], list[str]]):
    sizes, all_arrows, late = drawing
    layout = lay_out(sizes, all_arrows, late=late)
    assert layout.places.keys() == sizes.keys()
    assert not any(overlap(one, other) for one, other in combinations(layout.places.values(), 2))
    assert list(crossed(layout)) == []
    assert {line.arrow for line in layout.lines} == {arrow for arrow in all_arrows if arrow.source != arrow.target}
    for place in layout.places.values():
        assert -0.01 <= place.x <= layout.width - place.width + 0.01
        assert -0.01 <= place.y <= layout.height - place.height + 0.01
    for line in layout.lines:
        source, target = layout.places[line.arrow.source], layout.places[line.arrow.target]
        assert source.y <= line.points[0][1] <= source.y + source.height
        assert target.y <= line.points[-1][1] <= target.y + target.height
        assert re.fullmatch(r"M[-\d. ]+(H[-\d.]+|C[-\d. ]+)+", line.path())


@given(drawings())
@settings(max_examples=50)
def test_same_boxes_and_arrows_give_the_same_drawing(drawing: tuple[dict[str, Size], list[Arrow], list[str]]):
    sizes, all_arrows, late = drawing
    assert lay_out(sizes, all_arrows, late=late) == lay_out(dict(sizes), list(all_arrows), late=set(late))


def test_largest_plan_that_the_format_allows_can_be_drawn():
    """A hundred stages in a row that each require the twenty before them."""
    names = [f"s{number}" for number in range(100)]
    steps = [(names[back], name) for number, name in enumerate(names) for back in range(max(0, number - 20), number)]
    layout = lay_out(boxes(*names), [Arrow(*step, "required") for step in steps])
    assert len(layout.lines) == len(steps)
    assert list(crossed(layout)) == []


# --- text ------------------------------------------------------------------------------------------------------------


def test_text_is_wrapped_at_spaces():
    lines = wrapped("Agenderen en draagvlak creëren", 140, 15, bold=True)
    assert " ".join(lines) == "Agenderen en draagvlak creëren"
    assert len(lines) > 1


def test_word_that_is_too_wide_is_broken_with_a_hyphen():
    lines = wrapped("De inclusiviteitsverantwoordingsrapportage is af", 140, 15)
    assert any(line.endswith("-") for line in lines)
    assert "".join(line.removesuffix("-") for line in lines).replace(" ", "") == (
        "Deinclusiviteitsverantwoordingsrapportageisaf"
    )


@pytest.mark.parametrize("text", ["", "   "])
def test_no_text_is_no_line(text: str):
    assert wrapped(text, 100, 15) == ()


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cf", "Zs"]), max_size=80), st.booleans())
def test_no_line_is_wider_than_asked(text: str, bold: bool):
    for line in wrapped(text, 140, 15, bold=bold):
        assert text_width(line, 15, bold=bold) <= 140
