"""Files that are made to hurt: refused early, in few words and in little memory.

Times are not asserted, as they depend on what else the machine does; memory is.
"""

import tracemalloc

import pytest

from app.catalogue import yaml_tree
from app.catalogue.loader import load_bytes
from app.catalogue.problems import PROBLEMS_MAX, printable
from tests.catalogue.files import SMALL, TINY, codes_of, problems_of

KIB_256 = 256 * 1024
MEMORY_MAX = 24 * 1024**2  # bytes; about a hundred times the largest file


def filled(token: str, before: str = "", after: str = "") -> bytes:
    times = (KIB_256 - len((before + after).encode())) // len(token.encode())
    return (before + token * times + after).encode()


HOSTILE = {
    "deep-lists": (filled("["), "too_deep"),
    "deep-mappings": (filled("{a: "), "too_deep"),
    "deep-dashes": (filled("- "), "too_deep"),
    "deep-indentation": ("".join(f"{' ' * n}a:\n" for n in range(600)).encode(), "too_deep"),
    "deep-keys": (filled("? "), "not_a_key"),
    "deep-keys-in-flow": (filled("{"), "not_a_key"),
    "deep-lists-as-keys": (filled("[? "), "not_a_key"),
    "many-aliases": (filled("*a,", "a: &a b\nc: ["), "too_many_aliases"),
    "wide-aliases": (
        ("a: &a [" + "[x,x,x,x,x,x,x,x,x]," * 300 + "]\nb: &b [" + "*a," * 8 + "]\nc: [" + "*b," * 8 + "]\n").encode(),
        "too_many_values",
    ),
    "anchors": (filled("&a ,", "a: ["), "no_value"),
    "tags": (filled("!x a,", "a: ["), "tag"),
    "tag-directives": (filled("%TAG !a! b\n"), "directive"),
    "tag-directives-of-old-computers": (filled("%TAG !a! b\r"), "directive"),
    "directives-after-the-plan": (filled("%TAG !a! b\n", "a: b\n...\n"), "directive"),
    "documents": (filled("---\n"), "several_documents"),
    "document-ends": (filled("...\n"), "yaml_other"),
    "one-long-list": (filled("a,", "a: ["), "too_many_items"),
    "many-lists": (filled("[a,a,a,a,a,a,a,a],", "a: [" + "[" * 3), "too_many_items"),
    "values": (filled("[a,a,a,a,a,a,a,a],", "".join(f"k{n}: [[a]]\n" for n in range(100)) + "l: ["), "too_many_items"),
    "many-values": ("".join(f"k{n}: [{'{a: b},' * 200}]\n" for n in range(100)).encode(), "too_many_values"),
    "repeated-keys": (filled("a: b\n"), "repeated_key"),
    "merges": (filled("<<: a\n"), "merge_key"),
    "unknown-keys": ("".join(f"k{n}: 1\n" for n in range(25_000)).encode(), "too_many_items"),
    "nothing": (filled("-\n", "a:\n"), "no_value"),
    "colons": (filled(":"), "yaml_colon"),
    "open-quote": (filled("a", '"'), "yaml_quote"),
    "escapes": (filled('"\\0",', "a: ["), "control_character"),
    "number": (filled("1", "a: "), "unknown_key"),
    "exponent": (b"a: 1e999999999", "unknown_key"),
    "objects": (b'!!python/object/apply:os.system ["true"]', "tag"),
    "nul": (filled("\0"), "unwanted_character"),
    "delete": (b"a: \x7f", "unwanted_character"),
    "line-separator": ("a: b\u2028c".encode(), "unwanted_character"),
    "mark-inside": ("a: b\ufeffc".encode(), "unwanted_character"),
    "utf-16": ("a: b".encode("utf-16"), "not_utf8"),
    "latin-1": ("a: één".encode("latin-1"), "not_utf8"),
    "half-a-character": ("a: é".encode()[:-1], "not_utf8"),
    "surrogate": (b"a: \xed\xa0\x80", "not_utf8"),
    "escaped-surrogate": (b'a: "\\ud800"', "yaml_escape"),
    "larger-than-allowed": (b"#" * (KIB_256 + 1), "too_large"),
    "large-and-wrong": (
        ("format: 1\nstages:\n" + "".join(f"  - roles: [{'X,' * 400}]\n" for _ in range(50))).encode(),
        "missing_key",
    ),
    "circle-of-stages": (
        (
            "format: 1\nstages:\n"
            + "".join(
                f"  - {{id: s{n}, requires: [{', '.join(f'{{stage: s{m}}}' for m in range(100))}]}}\n"
                for n in range(100)
            )
        ).encode(),
        "requires_itself",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_in_few_words_and_little_memory(name: str):
    data, code = HOSTILE[name]
    tracemalloc.start()
    try:
        problems = problems_of(data)
        sentences = [problem.sentence() + problem.sentence_nl() for problem in problems]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert code in [problem.code for problem in problems]
    assert len(problems) <= PROBLEMS_MAX + 1
    assert all("\n" not in sentence and len(sentence) < 4000 for sentence in sentences)
    assert peak < MEMORY_MAX


def test_above_a_hundred_problems_their_number_is_told():
    problems = problems_of("format: 1\nterms:\n" + "  - 1\n" * 150)
    assert len(problems) == PROBLEMS_MAX + 1
    assert problems[-1].code == "more_problems"
    assert problems[-1].sentence().endswith("and at least 52 more; mend the ones above first, then check again")


def test_place_of_a_wrong_byte_is_told():
    (problem,) = problems_of(b"format: 1\nplan: \xe9\xe9n\n")
    assert (problem.line, problem.column) == (2, 7)
    (problem,) = problems_of("format: 1\n# é\x0b\n".encode())
    assert (problem.line, problem.column) == (2, 4)
    assert problem.sentence().startswith("plan.yaml:2:4  the invisible character U+000B")


def test_limits_count_what_aliases_stand_for():
    half = f"x: &a [{'[' + 'v,' * 120 + '],'} ]\n"
    assert codes_of(half + "y: [" + "*a," * yaml_tree.ALIASES_MAX + "]\n")[0] != "too_many_aliases"
    assert codes_of(half + "y: [" + "*a," * (yaml_tree.ALIASES_MAX + 1) + "]\n") == ["too_many_aliases"]


def test_value_that_is_kept_out_does_not_count_as_there():
    assert "missing_key" not in codes_of(TINY.replace("title: Klein plan,", "title: Klein plan, title: {nl: 1},"))


def test_file_of_the_largest_size_loads():
    rest = KIB_256 - len(TINY.encode())
    data = TINY.encode() + b"#" * (rest - 1) + b"\n"
    assert len(data) == KIB_256
    assert load_bytes(data, "plan.yaml").plan.id == "klein"
    assert codes_of(data + b"#") == ["too_large"]


def test_large_plan_loads():
    """Full of what plans are full of, up to the last kilobyte."""
    head, step = SMALL.read_text().split("      - id: overzicht\n")[0], _steps_of_small()
    tail = SMALL.read_text().split("    statements:\n", 1)[1]
    steps, number = "", 0
    while len((head + steps + step + tail).encode()) < KIB_256 - 1024:
        number += 1
        steps += step.replace("id: overzicht", f"id: overzicht-{number}")
    loaded = load_bytes((head + steps + "    statements:\n" + tail).encode(), "plan.yaml")
    assert len(loaded.plan.stages[0].steps) == number > 60


def _steps_of_small() -> str:
    text = SMALL.read_text()
    return text[text.index("      - id: overzicht\n") : text.index("      - id: conclusie\n")]


def test_nothing_in_a_file_reaches_the_terminal_as_a_command():
    assert printable("\x1b[31mrood\x1b[0m\r\n\u202e") == "\\x1b[31mrood\\x1b[0m\\r\\n\\u202e"
    assert printable("é" * 100) == "é" * 59 + "…"
