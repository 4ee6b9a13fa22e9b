"""Reading step plans: from a YAML file to a checked plan, from a stored document back to the same plan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

from cachetools import LRUCache, cached

from app.catalogue import yaml_tree
from app.catalogue.build import Document, build
from app.catalogue.meaning import check_meaning
from app.catalogue.problems import (
    LISTED_MAX,
    PROBLEMS_MAX,
    Finding,
    Mark,
    PlanInvalid,
    Problem,
    in_order,
    path_text,
    suggestion,
)
from app.catalogue.rules import changes_since
from app.catalogue.rules.changes_since import EarlierFinder
from app.catalogue.schema import PlanFile, document_of
from app.catalogue.sentences import WARNINGS
from app.catalogue.shape import check_shape
from app.catalogue.versions import precedence
from app.engine.definition import StepPlan

__all__ = [
    "Document",
    "LoadedPlan",
    "PlanInvalid",
    "Problem",
    "canonical",
    "digest",
    "from_document",
    "load_bytes",
    "load_file",
    "plan_of",
    "read_file",
]

FINDINGS_MAX = 2000  # beyond what anybody reads; keeps a large and wholly wrong file from taking long
PLANS_KEPT_MAX = 256  # compiled plans in memory; one of 300 steps takes about 2 MB


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """`document` is the canonical form that can be stored: from_document(document) == plan."""

    plan: StepPlan
    document: Document
    warnings: tuple[Problem, ...] = ()


def load_file(path: Path) -> StepPlan:
    """Raises PlanInvalid with every problem, also when there is no such file."""
    return load_bytes(read_file(path), str(path)).plan


def load_bytes(data: bytes, name: str, earlier: EarlierFinder | None = None) -> LoadedPlan:
    """`name` stands before each problem, as the name of the file. With `earlier` the plan is laid beside the version
    that its changes are about, too.  Raises PlanInvalid with every problem."""
    checked, problems = _check(data, name, earlier)
    if checked is None:
        raise PlanInvalid(problems)
    document = document_of(checked)
    return LoadedPlan(from_document(document), document, tuple(problems))


# --- the canonical document ------------------------------------------------------------------------------------


def canonical(document: Mapping[str, Any]) -> bytes:
    """One byte form per meaning: layout, comments, the order of keys and defaults that were written out make no
    difference, the order of lists does. The document has no defaults in it (schema.document_of), so that a later
    version of the format can add keys without changing the digest of plans that are in use."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the canonical form."""
    return hashlib.sha256(canonical(document)).hexdigest()


def from_document(document: Document) -> StepPlan:
    """Trusts the document, which `load_bytes` made; the digest of the plan is computed from what is there now."""
    return build(document, digest(document))


@cached(LRUCache(PLANS_KEPT_MAX), key=lambda wanted, document_loader: wanted, lock=Lock())
def plan_of(wanted: str, document_loader: Callable[[], Document]) -> StepPlan:
    """The plan with this digest, compiled once per process while it is in use; the loader is asked for its document
    only if need be.  Raises ValueError for a document that does not have this digest."""
    plan = from_document(document_loader())
    if plan.digest != wanted:
        raise ValueError(f"a stored plan document was changed: sha256:{wanted} expected, sha256:{plan.digest} found")
    return plan


# --- checking --------------------------------------------------------------------------------------------------


def read_file(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            reason = "not a file"  # a pipe would keep us waiting, a device would never end
        else:
            with path.open("rb") as file:
                return file.read(yaml_tree.BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    raise PlanInvalid([Problem(str(path), 1, 1, "", "unreadable", {"reason": reason})])


def _check(data: bytes, name: str, earlier: EarlierFinder | None) -> tuple[PlanFile | None, list[Problem]]:
    """The plan and its warnings, or no plan and all that is wrong."""
    tree = yaml_tree.read(data)
    findings = list(tree.findings)
    checked = None
    if tree.is_whole:
        told = {finding.path for finding in findings}
        checked, shape = check_shape(tree)
        findings += [finding for finding in shape if finding.path not in told]
        if not any(finding.code == "unknown_format" for finding in shape):
            findings += islice(check_meaning(tree.root), FINDINGS_MAX)
        if checked is not None and earlier is not None:
            is_right = all(finding.code in WARNINGS for finding in findings)
            findings += islice(_since(checked, earlier, is_right=is_right), FINDINGS_MAX)
    problems = located(findings, tree, name)
    if wrong := [problem for problem in problems if not problem.is_warning]:
        # What seems unused may be meant by a name that is wrong: warnings wait until the plan is right.
        return None, in_order(wrong, name)
    assert checked is not None, "nothing was said about a plan that does not have the right shape"
    return checked, in_order(problems, name)


def _since(checked: PlanFile, earlier: EarlierFinder, *, is_right: bool) -> Iterator[Finding]:
    """What the declared changes are beside the earlier version; advice only for a plan that is right."""
    if checked.changes is None or precedence(checked.changes.since) >= precedence(checked.plan.version):
        return
    since = checked.changes.since
    where: tuple[str, str] = ("changes", "since")
    try:
        before = earlier(since)
    except KeyError:
        yield Finding("since_missing", where, {"value": since})
        return
    except PlanInvalid:
        yield Finding("since_invalid", where, {"value": since})
        return
    if before is None or before.id != checked.plan.id:
        return
    document = document_of(checked)
    plan = from_document(document)
    wrong = list(changes_since.check(document["changes"], plan, before))
    yield from wrong
    if is_right and not wrong:
        yield from changes_since.advise(document["changes"], plan, before)


def _place(finding: Finding, tree: yaml_tree.Tree) -> Mark:
    line, column = finding.mark or tree.place(finding.path, at_key=finding.at_key)
    if tree.lines and line > len(tree.lines):  # libyaml ends each file with a line break
        return len(tree.lines), len(tree.lines[-1]) + 1
    return line, column


def located(findings: list[Finding], tree: yaml_tree.Tree, name: str) -> list[Problem]:
    """Findings with their place in the file, by line."""
    placed = [(_place(finding, tree), finding) for finding in findings]
    placed.sort(key=lambda each: each[0])
    problems = []
    for number, ((line, column), finding) in enumerate(placed):
        # Comparing names takes time; nobody reads suggestions beyond what is shown.
        near = suggestion(finding.wrong, finding.known) if number < PROBLEMS_MAX else ""
        choices = () if near or not finding.wrong else tuple(finding.known[:LISTED_MAX])
        path = path_text(finding.path)
        problems.append(Problem(name, line, column, path, finding.code, finding.params, near, choices))
    return problems
