"""The stages of a plan as a drawing, and the same in sentences: what can begin after what.

graph = plan_graph(plan, language)          # ui.plan_graph(graph) draws it
graph = plan_graph(plan, language, with_states=True)   # leaves room for a state in each box
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.engine.definition import Decision, DecisionRequired, Stage, StageRequired, StepPlan, Text
from app.web.graph_layout import Arrow, Layout, Place, Size, lay_out
from app.web.i18n import N_, Language, gettext_for
from app.web.plan_sentences import sentences
from app.web.text_width import text_width, wrapped

BOX_WIDTH: Final = 156.0  # pixels, as all here
PADDING: Final = 12.0
COLUMN_GAP: Final = 44.0
TITLE_SIZE, TITLE_LINE = 15.0, 19.0
NOTE_SIZE, NOTE_LINE = 13.0, 17.0
STATE_LINES: Final = 2  # as many as a state may take; the longest of ours takes two
STATE_GAP: Final = 5.0  # above the state
DOT_WIDTH: Final = 16.0  # of the dot before a state
JUNCTION_HEIGHT: Final = 24.0
MARGIN: Final = 4.0  # so that no line is cut in half at the edge
LEGEND_LINE: Final = 24.0
LEGEND_SAMPLE: Final = 44.0  # width of the piece of arrow before the words

TRAITS: Final = (
    ("is_optional", N_("may be skipped")),
    ("is_repeatable", N_("in rounds")),
    ("is_per_domain", N_("per domain")),
    ("is_continuous", N_("continuous")),
)
LEGEND: Final[Mapping[str, str]] = {
    "required": N_("solid arrow: necessary before the next one can begin"),
    "advised": N_("dashed arrow: wiser first, not necessary"),
    "either": N_("“or”: one of these arrows is enough"),
    "decision": N_("rounded box: a decision that opens another road"),
}


@dataclass(frozen=True, slots=True)
class TextLine:
    x: float
    y: float
    """Of the base line."""
    text: str


@dataclass(frozen=True, slots=True)
class Box:
    """`kind` is stage, decision or either. `id` is that of the stage or decision; `language` that of the title."""

    kind: str
    id: str
    place: Place
    language: str
    title: tuple[TextLine, ...]
    notes: tuple[TextLine, ...]
    state: TextLine | None
    """The first line of the room for a state, still empty; behind the dot."""

    def __hash__(self) -> int:
        return hash((self.kind, self.id))  # quick, since what is drawn of it is looked up on every page

    def state_lines(self, word: str) -> tuple[TextLine, ...]:
        """A state as it fits in the room for it."""
        if self.state is None:
            return ()
        room = self.place.x + self.place.width - PADDING - self.state.x
        lines = wrapped(word, room, NOTE_SIZE, bold=True)
        if len(lines) > STATE_LINES:
            lines = (*lines[: STATE_LINES - 1], f"{lines[STATE_LINES - 1]} …")
        return tuple(
            TextLine(self.state.x, self.state.y + number * NOTE_LINE, text) for number, text in enumerate(lines)
        )


@dataclass(frozen=True, slots=True)
class DrawnArrow:
    """`kind` is required or advised; the paths are for the attribute `d`."""

    kind: str
    path: str
    head: str


@dataclass(frozen=True, slots=True)
class LegendLine:
    kind: str
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class PlanGraph:
    """Everything stands in a field of `width` by `height` pixels, the legend in as much below that as its lines take.
    `sentences` say all that the drawing shows."""

    title: str
    description: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[DrawnArrow, ...]
    legend: tuple[LegendLine, ...]
    legend_width: float
    legend_height: float
    sentences: tuple[str, ...]

    def __hash__(self) -> int:
        return hash((self.title, self.width, self.height))  # as of a box


def plan_graph(plan: StepPlan, language: Language, *, with_states: bool = False) -> PlanGraph:
    return _Drawing(plan, language, with_states).graph()


@dataclass(frozen=True, slots=True)
class _Content:
    """What goes in a box, before it has a place."""

    kind: str
    id: str
    language: str
    title: tuple[str, ...]
    notes: tuple[str, ...]
    size: Size


class _Drawing:
    def __init__(self, plan: StepPlan, language: Language, with_states: bool) -> None:
        self.plan, self.language, self.with_states = plan, language, with_states
        self.texts = gettext_for(language)
        self.contents: dict[str, _Content] = {}
        self.arrows: list[Arrow] = []

    def graph(self) -> PlanGraph:
        for stage in self.plan.stages:
            traits = [self.texts.gettext(word) for name, word in TRAITS if getattr(stage, name)]
            self._add(f"stage {stage.id}", "stage", stage.id, stage.title, traits)
        for decision in self.plan.decisions:
            words = [self.texts.gettext(N_("decision"))]
            words += [self.texts.gettext(N_("per domain"))] if decision.is_per_domain else []
            self._add(f"decision {decision.id}", "decision", decision.id, decision.title, words)
        # What is necessary comes first: where all together would go in a circle, an advice gives way.
        parts: list[Stage | Decision] = [*self.plan.stages, *self.plan.decisions]
        for part in parts:
            self._require(part)
        for stage in self.plan.stages:
            self.arrows += [
                Arrow(f"stage {each.stage}", f"stage {stage.id}", "advised") for each in stage.advised_after
            ]
        late = [name for name, content in self.contents.items() if content.kind != "stage"]
        layout = lay_out(
            {name: content.size for name, content in self.contents.items()},
            self._unique(),
            late=late,
            column_gap=COLUMN_GAP,
        )
        return self._drawn(layout)

    def _add(self, name: str, kind: str, id: str, title: Text, notes: Sequence[str]) -> None:
        room = BOX_WIDTH - 2 * PADDING
        lines = wrapped(title.in_language(self.language), room, TITLE_SIZE, bold=True)
        small = wrapped(" · ".join(note.replace(" ", "\u00a0") for note in notes), room, NOTE_SIZE) if notes else ()
        height = 2 * PADDING + len(lines) * TITLE_LINE + len(small) * NOTE_LINE
        height += STATE_GAP + STATE_LINES * NOTE_LINE if self.with_states and kind == "stage" else 0
        language = title.language_for(self.language)
        self.contents[name] = _Content(kind, id, language, lines, small, Size(BOX_WIDTH, height))

    def _require(self, part: Stage | Decision) -> None:
        name = f"{'stage' if isinstance(part, Stage) else 'decision'} {part.id}"
        for number, requirement in enumerate(part.requires):
            target = name
            if len(requirement.alternatives) > 1:
                target = f"either {name} {number}"
                word = self.texts.gettext(N_("or"))
                size = Size(text_width(word, NOTE_SIZE, bold=True) + 2 * PADDING, JUNCTION_HEIGHT)
                self.contents[target] = _Content("either", "", self.language, (word,), (), size)
                self.arrows.append(Arrow(target, name, "required"))
            self.arrows += [Arrow(_needed(each), target, "required") for each in requirement.alternatives]

    def _unique(self) -> list[Arrow]:
        """Without advice to do first what is necessary already."""
        required = {(arrow.source, arrow.target) for arrow in self.arrows if arrow.kind == "required"}
        return [
            arrow for arrow in self.arrows if arrow.kind == "required" or (arrow.source, arrow.target) not in required
        ]

    def _drawn(self, layout: Layout) -> PlanGraph:
        boxes = tuple(self._box(content, layout.places[name]) for name, content in self.contents.items())
        arrows = tuple(DrawnArrow(line.arrow.kind, line.path(MARGIN), line.head(MARGIN)) for line in layout.lines)
        present = {arrow.kind for arrow in arrows} | {content.kind for content in self.contents.values()}
        kinds = [kind for kind in LEGEND if kind in present]
        words = {kind: self.texts.gettext(LEGEND[kind]) for kind in kinds}
        below = layout.height + 2 * MARGIN
        legend = tuple(
            LegendLine(kind, below + (number + 1) * LEGEND_LINE, words[kind]) for number, kind in enumerate(kinds)
        )
        widest = max((text_width(word, NOTE_SIZE) for word in words.values()), default=0)
        title = self.texts.gettext("What can begin after what: %(plan)s") % {
            "plan": self.plan.title.in_language(self.language)
        }
        return PlanGraph(
            title=title,
            description=self.texts.gettext("Boxes with arrows between them. The same is written out in sentences."),
            width=layout.width + 2 * MARGIN,
            height=below,
            boxes=boxes,
            arrows=arrows,
            legend=legend,
            legend_width=LEGEND_SAMPLE + widest + 2 * MARGIN,
            legend_height=(len(legend) + 0.5) * LEGEND_LINE,
            sentences=tuple(sentences(self.plan, self.language)),
        )

    def _box(self, content: _Content, at: Place) -> Box:
        place = Place(at.x + MARGIN, at.y + MARGIN, at.width, at.height)
        if content.kind == "either":
            middle = TextLine(place.x + PADDING, place.y + place.height / 2 + NOTE_SIZE * 0.35, content.title[0])
            return Box("either", "", place, content.language, (middle,), (), None)
        x, y = place.x + PADDING, place.y + PADDING
        title = tuple(
            TextLine(x, y + number * TITLE_LINE + TITLE_SIZE, text) for number, text in enumerate(content.title)
        )
        y += len(content.title) * TITLE_LINE
        notes = tuple(
            TextLine(x, y + number * NOTE_LINE + NOTE_SIZE, text) for number, text in enumerate(content.notes)
        )
        y += len(content.notes) * NOTE_LINE
        has_state = self.with_states and content.kind == "stage"
        state = TextLine(x + DOT_WIDTH, y + STATE_GAP + NOTE_SIZE, "") if has_state else None
        return Box(content.kind, content.id, place, content.language, title, notes, state)


def _needed(alternative: StageRequired | DecisionRequired) -> str:
    if isinstance(alternative, DecisionRequired):
        return f"decision {alternative.decision}"
    return f"stage {alternative.stage}"
