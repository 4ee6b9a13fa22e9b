"""Reading a plan that may be broken: what does not have the right type is not there.

The rules look at the file as it is instead of at checked models, so that an author gets what is wrong with its shape
and with its meaning in one go. The shape has been told already; a rule never has to complain about a type.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.catalogue.problems import Finding, Path
from app.catalogue.schema import PlanFile


@dataclass(frozen=True, slots=True)
class Part:
    """A value of the file and its path."""

    path: Path
    value: object

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def get(self, key: str) -> Part:
        """What is under a key; a part without value if there is nothing."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return Part((*self.path, key), value)

    def each(self, key: str) -> Iterator[Part]:
        """The items of the list under a key."""
        found = self.get(key)
        if isinstance(found.value, list):
            for number, value in enumerate(found.value):
                yield Part((*found.path, number), value)

    @property
    def text(self) -> str | None:
        return self.value if isinstance(self.value, str) else None

    @property
    def number(self) -> int | float | None:
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        return self.value if is_number else None  # type: ignore[return-value]  # mypy loses it through the name

    @property
    def is_true(self) -> bool:
        return self.value is True

    @property
    def id(self) -> str:
        """Empty where there is none."""
        return self.get("id").text or ""


@dataclass(frozen=True, slots=True)
class Names:
    """The ids in a list (or the keys of a mapping) of the plan. Where some could not be read, an unknown name may be
    one of those and is no finding: `is_whole` is False then."""

    known: tuple[str, ...]
    is_whole: bool
    _set: frozenset[str]

    @classmethod
    def of(cls, plan: Part, key: str) -> Names:
        found = plan.get(key).value
        if isinstance(found, dict):
            return cls(tuple(found), True, frozenset(found))
        ids = tuple(each.id for each in plan.each(key))
        if plan.has(key):
            is_whole = isinstance(found, list) and all(ids)
        else:
            # The list may be there under a misspelt key.
            is_whole = isinstance(plan.value, dict) and plan.value.keys() <= PlanFile.model_fields.keys()
        return cls(tuple(filter(None, ids)), is_whole, frozenset(ids))

    def __contains__(self, name: str) -> bool:
        return name in self._set

    def unknown(self, part: Part, code: str) -> Iterator[Finding]:
        """A finding if the text of `part` is none of these names."""
        name = part.text
        if name is not None and self.is_whole and name not in self:
            yield Finding(code, part.path, {"value": name}, wrong=name, known=self.known)
