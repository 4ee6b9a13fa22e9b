"""The text of a new draft: a small plan that lints clean, or a copy of another file with its comments kept."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

from app.catalogue import yaml_tree
from app.catalogue.loader import canonical, load_bytes
from app.catalogue.problems import Mark

FIRST_VERSION = "0.1.0"
SCHEMA_LINE = "# yaml-language-server: $schema=../schema.json\n"
"""With this an editor completes keys, explains them and marks what is wrong while one types."""

_SMALL = """\
# A draft: nobody works with it until it is released.
#   check it:    stappenplan lint {id}/{version}.yaml
#   look at it:  stappenplan plan show {id}@{version}   and   stappenplan plan graph {id}@{version}
#   release it:  stappenplan plan release {id}@{version}   (from then on this version never changes)
#
# Texts are Dutch; a text in more languages is written {{nl: …, en: …}}. A text with a colon in it goes between quotes.
# Every text says where it comes from: `sources: [S1]` names a source below, `addition: true` says that it is your own.
# Ids have lowercase letters, digits and hyphens. Answers are kept under them: do not change an id to mend a word.
format: 1
plan:
  id: {id}  # also the name of the folder
  version: {version}  # also the name of the file
  title: {title}
  purpose:  # one or two sentences: what for, and for whom
    text: Beschrijf hier in een of twee zinnen waar dit stappenplan voor is.
    addition: true

# What the plan is based on. Remove the # when you have one, and name it with the texts that come from it.
# sources:
#   S1:
#     title: Title of the publication
#     publisher: Who published it
#     url: "https://www.example.org/"

# Grounds that the checklist asks about, such as leeftijd or inkomen.
# grounds:
#   - id: leeftijd
#     title: Leeftijd

# Kinds of evidence that a step can ask for.
# evidence_kinds:
#   - {{id: verslag, title: Verslag}}

stages:
  - id: verkennen
    title: Verkennen
    # optional: true       may be skipped, with a reason
    # repeatable: true     comes back in rounds
    # continuous: true     stays open after approval
    # per_domain: true     once for each domain (write `domains` above)
    goal: {{text: Weten wat er speelt en voor wie., addition: true}}
    why: {{text: Dan weet u waar u begint., addition: true}}
    gives: {{text: Een overzicht dat iedereen kent., addition: true}}
    steps:
      - id: overzicht
        title: Overzicht maken
        # required: false  the stage can be approved without it
        goal: {{text: Weten wat er al is en wat ontbreekt., addition: true}}
        questions:
          # Types: short_text, long_text, single_choice, multiple_choice, assessment, number, date, table.
          - {{id: wat-is-er, text: Wat is er al?, type: long_text, required: true, addition: true}}
          - {{id: genoeg-zicht, text: Weten we genoeg om verder te gaan?, type: assessment, addition: true}}
        # evidence:
        #   - {{kind: verslag, minimum: 1}}
    # The checklist of the stage, worded so that "ja" is the wanted answer.
    # statements:
    #   - {{id: jong-en-oud, ground: leeftijd, text: We weten hoe jong en oud dit ervaart., addition: true}}
    gate:
      question: {{text: Weten we genoeg om te kiezen?, addition: true}}

  - id: kiezen
    title: Kiezen
    # What must have been reached before this stage can begin. Use it sparingly: a plan is no corset.
    requires:
      - {{stage: verkennen}}
    # Wiser after another stage, but not necessary:
    # advised_after:
    #   - {{stage: verkennen, why: {{text: Dan kiest u op wat u weet., addition: true}}}}
    goal: {{text: Kiezen wat u gaat doen., addition: true}}
    why: {{text: Een keuze maakt duidelijk wie wat doet., addition: true}}
    gives: {{text: Een besluit met redenen., addition: true}}
    steps:
      - id: keuze
        title: Keuze maken
        goal: {{text: Vastleggen wat u kiest en waarom., addition: true}}
        questions:
          - {{id: keuze, text: Wat kiest u?, type: long_text, required: true, addition: true}}
          - {{id: waarom, text: Waarom kiest u dit?, type: long_text, required: true, addition: true}}
    gate:
      question: {{text: Staan we achter deze keuze?, addition: true}}
"""


class NotCopied(Exception):
    """The head of a file is written in a way that cannot be changed without changing more."""


def small_draft(plan_id: str, version: str, title: str) -> str:
    """A plan of two stages, with comments that explain the format. `title` may hold anything that fits on a line."""
    return SCHEMA_LINE + _SMALL.format(id=plan_id, version=version, title=_quoted(title))


def copied_draft(data: bytes, *, plan_id: str, version: str, since: str = "") -> str:
    """The same file as another version, or as another plan. What it says about its own changes is left out: that was
    about the version before. With `since`, the version that is copied, a comment shows how to say what changes now.
    Raises PlanInvalid for a file that cannot be used, NotCopied."""
    loaded = load_bytes(data, plan_id)
    document: dict[str, Any] = {key: value for key, value in loaded.document.items() if key != "changes"}
    document["plan"] = {**document["plan"], "id": plan_id, "version": version}
    text = data.decode("utf-8-sig")
    tree = yaml_tree.read(data)
    edits = _without_changes(text, tree)
    for key, value in (("id", plan_id), ("version", version)):
        begin = _offset(text, tree.place(("plan", key)))
        written = _SCALAR.match(text, begin)
        if written is None:
            raise NotCopied
        edits.append((begin, written.end(), value))
    if since and (end := _block(text, tree, "plan")[1]) < len(text):
        edits.append((end, end, _CHANGES.format(since=since)))
    for begin, end, value in sorted(edits, reverse=True):
        text = text[:begin] + value + text[end:]
    if canonical(load_bytes(text.encode(), plan_id).document) != canonical(document):
        raise NotCopied
    return text


_CHANGES = """\
# What is different since {since}, for the people whose work moves along. Remove the # and write it.
# changes:
#   since: {since}
#   summary: {{text: Beschrijf wat er anders is en wat dat vraagt., addition: true}}
#   renamed: [{{before: fase/oude-stap, after: fase/nieuwe-stap}}]  # ids that changed; what was given goes along
#   cosmetic: [fase/stap/vraag]  # other words, same meaning

"""
_SCALAR = re.compile(r'"[^"\\\r\n]*"|\'[^\'\r\n]*\'|[-.\w]+')
_EMPTY_LINES = re.compile(r"([ \t]*\r?\n)*")
_LINE_END = re.compile("\r\n|\r|\n")


def _offset(text: str, mark: Mark) -> int:
    line, column = mark
    before = 0
    for end in islice(_LINE_END.finditer(text), line - 1):
        before = end.end()
    return before + column - 1


def _without_changes(text: str, tree: yaml_tree.Tree) -> list[tuple[int, int, str]]:
    """What to cut out, with the empty lines below it."""
    assert isinstance(tree.root, yaml_tree.MarkedDict), "a plan that loads is a mapping"
    if "changes" not in tree.root:
        return []
    begin, end = _block(text, tree, "changes")
    below = _EMPTY_LINES.match(text, end)
    return [(begin, below.end() if below else end, "")]


def _block(text: str, tree: yaml_tree.Tree, key: str) -> tuple[int, int]:
    """From a key of the plan to the next one, without the comment that stands above that."""
    assert isinstance(tree.root, yaml_tree.MarkedDict), "a plan that loads is a mapping"
    begin = tree.root.marks[key][0]
    later = [mark for mark, _ in tree.root.marks.values() if mark > begin]
    end = _offset(text, min(later)) if later else len(text)
    first = _offset(text, begin)
    while (line := text.rfind("\n", 0, end - 1) + 1) > first and text[line:end].strip()[:1] in ("#", ""):
        end = line
    return first, end


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
