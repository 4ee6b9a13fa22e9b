"""`stappenplan diff`: what is different between two versions of a step plan, as text or as JSON."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from app.catalogue.versions import precedence
from app.cli.common import complain, say
from app.cli.plan.folder import Folder
from app.cli.plan_versions import Newer, Older, choose, must_be_one_plan, versions_between
from app.engine.run_migration.compare import Change, Comparison, Difference, compare
from app.web.change_words import ChangeWords, changes_by_stage
from app.web.word_diff import differing_lines

WIDTH_MAX: Final = 100  # columns; longer lines are hard to read
# Properties that are neither words nor codes: these are told in sentences in the JSON too.
_IN_WORDS: Final = frozenset({"requires", "advised_after"})


def diff(
    older: Older,
    newer: Newer,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON in place of text.")] = False,
    folder: Folder = None,
) -> None:
    """Show what is different between two versions of a plan.

    Each change with its class: what it asks of people. Versions that lie between are passed through, so that parts
    which were renamed, split or merged on the way are followed.
    """
    first, second = choose(older, folder), choose(newer, folder)
    must_be_one_plan(first.plan, second.plan)
    if precedence(first.plan.version) > precedence(second.plan.version):
        complain(f"{second.plan.version} is the older version: what follows is from there to {first.plan.version}")
        first, second = second, first
    found = compare(versions_between(first.plan, second))
    if as_json:
        say(json.dumps(as_document(found), ensure_ascii=False, indent=2))
    else:
        for line in as_text(found, width=min(shutil.get_terminal_size().columns, WIDTH_MAX)):
            say(line)


def as_document(found: Comparison) -> dict[str, Any]:
    """The JSON. Keys are stable; new ones may come.

    plan                id of the plan
    old, new            {version, digest}: the two versions; digest is the SHA-256 (hex) of their canonical form
    versions            the versions passed through, oldest first, both ends included
    summaries           [{version, text}]: what each version says that it changed
    counts              {cosmetic, safe, answer_again, approve_again}: how many changes of each class
    unchanged_stages    ids of stages without a change
    changes             in the order of the newer version, each
      kind              stage, step, question, statement, evidence, gate, ground, decision or guidance
      what              added, removed, changed, moved, split or merged
      class             cosmetic, safe, answer_again or approve_again
      stage             id of its stage, or null outside the stages
      before            paths in the older version: none for what is new, several for what was merged; of evidence and
                        gates the step or stage they belong to
      after             path in the newer version, or null
      title             in Dutch
      reason            why, by the author, in Dutch, or null
      differences       [{name, class, before, after}]: properties; codes where they hold no words, lists by line
    """
    words = ChangeWords(found, "en", titles="nl")
    touched = {change.stage for change in found.changes}
    return {
        "plan": found.new.id,
        "old": {"version": found.old.version, "digest": found.old.digest},
        "new": {"version": found.new.version, "digest": found.new.digest},
        "versions": [plan.version for plan in found.plans],
        "summaries": [{"version": version, "text": text} for version, text in _summaries(found)],
        "counts": {each.code: count for each, count in found.counted().items()},
        "unchanged_stages": [stage.id for stage in found.new.stages if stage.id not in touched],
        "changes": [_change_document(change, words) for change in found.changes],
    }


def _change_document(change: Change, words: ChangeWords) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "what": change.what.value,
        "class": change.change_class.code,
        "stage": change.stage or None,
        "before": change.before.split(", ") if change.before else [],
        "after": change.after or None,
        "title": change.title.nl,
        "reason": change.reason.nl if change.reason else None,
        "differences": [_difference_document(change, each, words) for each in change.differences],
    }


def _difference_document(change: Change, difference: Difference, words: ChangeWords) -> dict[str, str]:
    before, after = difference.before, difference.after
    if difference.name in _IN_WORDS:
        sides = words.sides(change, difference)
        before, after = sides.before, sides.after
    code = difference.change_class.code
    return {"name": difference.name, "class": code, "before": before, "after": after}


def _summaries(found: Comparison) -> Iterator[tuple[str, str]]:
    for before, plan in zip(found.plans, found.plans[1:], strict=False):
        if plan.changes is not None and plan.changes.since == before.version:
            yield plan.version, plan.changes.summary.text.nl


# --- text ------------------------------------------------------------------------------------------------------


def as_text(found: Comparison, *, width: int) -> Iterator[str]:
    """For a terminal: summary and counts first, then stage by stage, the heaviest changes first."""
    words = ChangeWords(found, "en", titles="nl")
    yield f"{found.new.title.nl}  ({found.new.id})"
    yield f"from {found.old.version}  sha256:{found.old.digest}"
    yield f"to   {found.new.version}  sha256:{found.new.digest}"
    for version, text in _summaries(found):
        yield ""
        yield from _wrapped(f"{version}: {text}", width)
    yield ""
    yield from _counts(found, words, width)
    touched = {change.stage for change in found.changes}
    if unchanged := [stage.title.nl for stage in found.new.stages if stage.id not in touched]:
        yield from _wrapped(f"Nothing changed in: {', '.join(unchanged)}", width)
    for id, changes in changes_by_stage(found):
        plan = found.new if id in found.new.stages_by_id else found.old
        heading = f"Stage: {plan.stage(id).title.nl}  ({id})" if id else "The plan as a whole"
        yield from ("", heading, "=" * len(heading))
        for change in changes:
            yield from _change(change, words, width)


def _counts(found: Comparison, words: ChangeWords, width: int) -> Iterator[str]:
    counted = {each: count for each, count in found.counted().items() if count}
    if not counted:
        yield "No differences: both ask the same in the same words."
        return
    longest = max(len(words.change_class(each)) for each in counted)
    for each in sorted(counted, reverse=True):
        head = f"{counted[each]:4}  {words.change_class(each):{longest}}  "
        yield from _wrapped(words.meaning(each), width, head, further=" " * len(head))


def _change(change: Change, words: ChangeWords, width: int) -> Iterator[str]:
    yield ""
    head = f"[{words.change_class(change.change_class)}] {words.kind(change)}, {words.what(change).lower()}: "
    yield from _wrapped(head + change.title.nl, width, further="    ")
    yield from _wrapped(_place(change), width, "    ")
    for sentence in filter(None, [words.origin(change)]):
        yield from _wrapped(sentence, width, "    ")
    for name, value, _ in words.described(change):
        yield from _wrapped(f"{name}: {value.replace(chr(10), '; ')}", width, "    ")
    for difference in change.differences:
        yield from _difference(change, difference, words, width)
    if change.reason is not None:
        yield from _wrapped(f"Why: {change.reason.nl}", width, "    ")


def _place(change: Change) -> str:
    paths = list(dict.fromkeys(filter(None, (change.before, change.after))))
    return f"({' -> '.join(paths)})" if paths else ""


def _difference(change: Change, difference: Difference, words: ChangeWords, width: int) -> Iterator[str]:
    sides = words.sides(change, difference)
    yield f"    {words.name(change, difference)}"
    if sides.before == sides.after:
        yield "      = the same words; what stands with them is not, such as the source"
        return
    before, after, unchanged = differing_lines(sides.before, sides.after)
    for sign, text in (("-", before), ("+", after)):
        for line in text.splitlines():
            yield from _wrapped(line, width, f"      {sign} ", further="        ")
    if unchanged:
        yield f"      = {unchanged} other line{'s' if unchanged > 1 else ''}"


def _wrapped(text: str, width: int, first: str = "", *, further: str | None = None) -> list[str]:
    indent = first if further is None else further
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
