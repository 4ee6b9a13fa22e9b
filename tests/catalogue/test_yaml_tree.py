"""YAML 1.2, with places."""

import pytest

from app.catalogue.yaml_tree import read, resolve


def test_what_yaml_1_1_would_change_stays_text():
    texts = "no No on off y n yes 12:30 190:20:30 1_000 2026-11-24 0b1 017x 1.2.3 0o8 << . - + 1e"
    for text in texts.split():
        assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("~", None), ("null", None), ("NULL", None), ("", None), ("nUll", "nUll"),
        ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"),
        ("0", 0), ("-12", -12), ("+7", 7), ("010", 10), ("0o17", 15), ("0x1F", 31),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("-1e3", -1000.0), ("1E-2", 0.01), (".inf", float("inf")),
        ("9" * 31, "9" * 31),
    ],
)  # fmt: skip
def test_core_schema(text: str, value: object):
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_a_number():
    assert resolve(".nan") != resolve(".NaN")


def test_only_plain_scalars_are_resolved():
    tree = read(b"[1, '1', \"1\", true, 'true', |-\n 1\n]".replace(b"|-\n 1\n", b"x"))
    assert tree.root == [1, "1", "1", True, "true", "x"]
    assert read(b"a: |-\n  12\nb: >-\n  null\n").root == {"a": "12", "b": "null"}


def test_keys_are_texts():
    assert read(b"{1: a, true: b, no: c, ~: d}").root == {"1": "a", "true": "b", "no": "c", "~": "d"}


def test_places_count_from_one_as_editors_do():
    tree = read("a:\n  - bé: één\n    c: [x, {d: y}]\n".encode())
    assert tree.place(()) == (1, 1)
    assert tree.place(("a",), at_key=True) == (1, 1)
    assert tree.place(("a",)) == (2, 3)
    assert tree.place(("a", 0, "bé"), at_key=True) == (2, 5)
    assert tree.place(("a", 0, "bé")) == (2, 9)
    assert tree.place(("a", 0, "c", 1, "d")) == (3, 16)


def test_place_of_what_is_not_there_is_what_is_around_it():
    tree = read(b"a:\n  b: [c]\n")
    assert tree.place(("a", "weg")) == (2, 3)
    assert tree.place(("a", "b", 4, "weg")) == (2, 6)
    assert tree.place(("a", "b", 0, "weg"), at_key=True) == (2, 7)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system_count_as_lines(end: str):
    tree = read(f"a: 1{end}b:{end}  c: 2.50{end}".encode())
    assert tree.place(("b", "c")) == (3, 6)
    assert tree.spelling(("b", "c")) == "2.50"


def test_byte_order_mark_is_no_part_of_the_plan():
    tree = read(b"\xef\xbb\xbfa: b\n")
    assert tree.root == {"a": "b"}
    assert tree.place(("a",), at_key=True) == (1, 1)


def test_alias_stands_for_its_anchor():
    tree = read(b"a: &x [1, {b: c}]\nd: *x\n&k e: *k\n")
    assert tree.root == {"a": [1, {"b": "c"}], "d": [1, {"b": "c"}], "e": "e"}
    assert tree.place(("d",)) == (2, 4)
    assert tree.place(("d", 0)) == (1, 8)


def test_latest_anchor_of_a_name_counts():
    assert read(b"[&x 1, *x, &x 2, *x]").root == [1, 1, 2, 2]


def test_tree_is_not_used_when_reading_stopped():
    assert not read(b"a: [").is_whole
    assert not read(b"a: {<<: b}").is_whole
    assert read(b"a: 1\na: 2").is_whole


def test_first_of_two_equal_keys_is_kept():
    tree = read(b"a: 1\nb: {a: 1, a: {c: [d]}, e: 2}\na: {x: y}\n")
    assert tree.root == {"a": 1, "b": {"a": 1, "e": 2}}
    assert [(finding.code, finding.path) for finding in tree.findings] == [
        ("repeated_key", ("b", "a")),
        ("repeated_key", ("a",)),
    ]
