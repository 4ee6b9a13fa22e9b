"""Is every text on screen there in Dutch, once, with the same placeholders? Run by `make check` and `make texts`.

Takes the message ids from the code and the templates, and compares them with locale/nl/*.po. Lists every problem
with its file and line, and exits with 1 when there is one.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import PoFileError, read_po

ROOT = Path(__file__).parent.parent
METHODS = [("app/**.py", "python"), ("templates/**.html", "jinja2")]
# `silent` off: a template that can't be read is a problem, not a template without texts.
OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]")
STRINGS = re.compile(r'^(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s+("(?:.*)")$|^("(?:.*)")$')

Key = tuple[str, str | None]  # singular id, context


@dataclass(slots=True)
class Used:
    """One message id as code and templates use it."""

    plural: str | None = None
    places: list[str] = field(default_factory=list)


def used_messages(root: Path) -> dict[Key, Used]:
    found: dict[Key, Used] = {}
    folders = [root / "app", root / "templates"]
    for file, line, ids, _, context in extract_from_dir(
        root,
        METHODS,
        OPTIONS,
        DEFAULT_KEYWORDS,
        directory_filter=lambda folder: any(Path(folder).is_relative_to(wanted) for wanted in folders),
    ):
        singular, plural = (ids, None) if isinstance(ids, str) else (ids[0], ids[1])
        used = found.setdefault((singular, context), Used())
        used.plural = used.plural or plural
        used.places.append(f"{file}:{line}")
    return found


def problems(root: Path) -> Iterator[str]:
    used = used_messages(root)
    if not used:
        yield f"{root}: no message ids in app/ and templates/, so nothing was checked"
    seen: dict[Key, str] = {}
    for path in sorted((root / "locale" / "nl").glob("*.po")):
        yield from file_problems(path, root, used, seen)
    for (singular, context), message in sorted(used.items(), key=lambda item: item[1].places):
        if (singular, context) not in seen:
            yield f"{message.places[0]}: {singular!r} has no Dutch text; add it to one file in locale/nl"


def file_problems(path: Path, root: Path, used: dict[Key, Used], seen: dict[Key, str]) -> Iterator[str]:
    name = path.relative_to(root)
    try:
        catalog = read_po(path.read_text(encoding="utf-8").splitlines(keepends=True), locale="nl", abort_invalid=True)
    except (PoFileError, UnicodeDecodeError) as unreadable:
        yield f"{name}: {unreadable}"
        return
    for line, singular in twice_in_one_file(path):
        yield f"{name}:{line}: {singular!r} is in this file twice; keep one"
    for message in catalog:
        if message.id == "":
            continue
        place, key = f"{name}:{message.lineno}", key_of(message)
        if key in seen:
            yield f"{place}: {key[0]!r} is also in {seen[key]}; keep it in one file"
            continue
        seen[key] = str(name)
        if key not in used:
            yield f"{place}: {key[0]!r} is not used any more; remove it"
        else:
            yield from (f"{place}: {key[0]!r} {problem}" for problem in text_problems(message, used[key]))
    for message in catalog.obsolete.values():
        yield f"{name}: {key_of(message)[0]!r} is commented out; remove it"


def text_problems(message: Message, used: Used) -> Iterator[str]:
    plural = message.id[1] if isinstance(message.id, list | tuple) else None
    if plural != used.plural:
        yield f"has the plural {plural!r} here and {used.plural!r} in {used.places[0]}"
        return
    if message.fuzzy:
        yield "is marked fuzzy; check the text and remove the mark"
    string = message.string or ""
    texts = [string] if isinstance(string, str) else list(string)
    if len(texts) != (1 if plural is None else 2) or not all(text.strip() for text in texts):
        yield "has no Dutch text" if plural is None else "needs two Dutch texts, singular and plural"
        return
    singular = key_of(message)[0]
    # A singular may write its number as a word: "één document" for "%(n)s document".
    required = placeholders([singular]) if plural is None else placeholders([plural])
    given, known = placeholders([texts[-1]]), placeholders([singular, plural or ""])
    if missing := required - given:
        yield f"misses {', '.join(sorted(missing))} in Dutch"
    if invented := placeholders(texts) - known:
        yield f"has {', '.join(sorted(invented))} in Dutch only"


def placeholders(texts: Iterable[str]) -> set[str]:
    return {match.group() for text in texts for match in PLACEHOLDER.finditer(text)}


def key_of(message: Message) -> Key:
    return (message.id if isinstance(message.id, str) else message.id[0], message.context)


def twice_in_one_file(path: Path) -> Iterator[tuple[int, str]]:
    """Babel keeps the last one without a word."""
    seen: set[Key] = set()
    entry: dict[str, str] = {}
    start, current = 0, ""
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), 'msgid ""'], 1):
        match = STRINGS.match(line.strip())
        if match is None:
            continue
        keyword, first, more = match.groups()
        if keyword in {"msgctxt", "msgid"} and "msgstr" in "".join(entry):
            key = (entry.get("msgid", ""), entry.get("msgctxt"))
            if key in seen:
                yield start, key[0]
            seen.add(key)
            entry = {}
        if keyword == "msgid":
            start = number
        current = keyword or current
        entry[current] = entry.get(current, "") + ast.literal_eval(first or more)


def main() -> int:
    found = list(problems(ROOT))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"Texts: {len(found)} problems." if found else "Texts: all there.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
