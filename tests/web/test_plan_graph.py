"""A plan as a drawing and in sentences: nothing that it requires is missing, and the words fit."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import pytest

from app.catalogue.loader import load_bytes
from app.engine.definition import DecisionRequired, StepPlan
from app.resources import static_dir
from app.web.assets import Assets
from app.web.i18n import LANGUAGES, Language
from app.web.macros import COMPONENTS
from app.web.plan_graph import NOTE_SIZE, PADDING, TITLE_SIZE, PlanGraph, plan_graph
from app.web.plan_sentences import sentences
from app.web.render import Pages
from app.web.site import Site
from app.web.text_width import text_width
from tests.catalogue.files import RELEASED, SMALL

SVG = "{http://www.w3.org/2000/svg}"


def small(old: str = "", new: str = "") -> StepPlan:
    text = SMALL.read_text()
    assert old in text
    return load_bytes(text.replace(old, new, 1).encode(), "small.yaml").plan


PLANS = [small(), *(load_bytes(path.read_bytes(), path.name).plan for path in RELEASED)]


# --- in sentences ----------------------------------------------------------------------------------------------------


def test_small_plan_in_dutch():
    assert list(sentences(small(), "nl")) == [
        "Verkennen kan meteen beginnen. Deze fase komt terug in rondes.",
        "Beleid maken kan beginnen nadat Verkennen is vastgesteld. Deze fase gaat beter na Werkgroep. "
        "Deze fase komt terug in rondes. U doet deze fase een keer per domein.",
        "Uitvoeren kan beginnen nadat Beleid maken is vastgesteld of het besluit “Bestaand beleid volstaat” is "
        "genomen. U doet deze fase een keer per domein.",
        "Werkgroep kan meteen beginnen. U mag deze fase overslaan, met een reden.",
        "Monitoren kan beginnen nadat Uitvoeren (voor één domein) is begonnen. Deze fase komt terug in rondes. "
        "Deze fase blijft open na akkoord.",
        "Het besluit “Bestaand beleid volstaat” kan worden genomen nadat Verkennen is vastgesteld.",
    ]


def test_small_plan_in_english():
    told = list(sentences(small(), "en"))
    assert told[0] == "Verkennen can begin at once. It comes back in rounds."
    assert told[2].startswith(
        "Uitvoeren can begin after Beleid maken was approved or the decision “Bestaand beleid volstaat” was taken."
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "reached: started, across: any",
            "reached: approved, across: all",
            "Monitoren kan beginnen nadat Uitvoeren (voor alle domeinen) is vastgesteld.",
        ),
        (
            "round: first, reached: approved",
            "round: latest, reached: approved",
            "Beleid maken kan beginnen nadat de laatste ronde van Verkennen is vastgesteld.",
        ),
        (
            "      - {stage: uitvoeren, reached: started, across: any}",
            "      - {stage: verkennen}\n      - {stage: werkgroep}",
            "Monitoren kan beginnen nadat Verkennen is vastgesteld en Werkgroep is vastgesteld.",
        ),
        (
            "      - {stage: uitvoeren, reached: started, across: any}",
            "      - {stage: verkennen}\n      - any_of: [{stage: werkgroep}, {stage: beleid}]",
            "Monitoren kan beginnen nadat Verkennen is vastgesteld, en ook nadat Werkgroep is vastgesteld of "
            "Beleid maken (voor één domein) is vastgesteld.",
        ),
        (
            "    requires:\n      - {stage: verkennen}\n\nstages",
            "\nstages",
            "Het besluit “Bestaand beleid volstaat” kan altijd worden genomen.",
        ),
    ],
)
def test_what_is_needed_is_told_in_full(old: str, new: str, told: str):
    assert told in " ".join(sentences(small(old, new), "nl"))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.id)
@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_name_everything_that_a_stage_requires_or_is_advised_after(plan: StepPlan, language: Language):
    told = list(sentences(plan, language))
    assert len(told) == len(plan.stages) + len(plan.decisions)
    for sentence, stage in zip(told, plan.stages, strict=False):
        named = [plan.stage(each.stage).title for each in stage.advised_after]
        for requirement in stage.requires:
            for each in requirement.alternatives:
                if isinstance(each, DecisionRequired):
                    named.append(plan.decisions_by_id[each.decision].title)
                else:
                    named.append(plan.stage(each.stage).title)
        for title in [stage.title, *named]:
            assert title.in_language(language) in sentence


# --- the drawing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.id)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stage_and_decision_has_a_box_in_which_its_words_fit(plan: StepPlan, language: Language):
    graph = plan_graph(plan, language, with_states=True)
    drawn = [(box.kind, box.id) for box in graph.boxes if box.kind != "either"]
    assert drawn == [
        *(("stage", stage.id) for stage in plan.stages),
        *(("decision", decision.id) for decision in plan.decisions),
    ]
    for box in graph.boxes:
        right, bottom = box.place.x + box.place.width - PADDING, box.place.y + box.place.height
        for line in box.title:
            assert line.x + text_width(line.text, TITLE_SIZE, bold=True) <= right + 1 or box.kind == "either"
        for line in box.notes:
            assert line.x + text_width(line.text, NOTE_SIZE) <= right + 1
        assert all(line.y <= bottom for line in (*box.title, *box.notes))
        assert (box.state is not None) == (box.kind == "stage")
        assert right <= graph.width
        assert bottom <= graph.height


def test_title_of_a_stage_is_whole_in_its_box():
    plan = small("title: Beleid maken", "title: Beleid maken met inwoners en partners uit alle domeinen")
    [box] = [box for box in plan_graph(plan, "nl").boxes if box.id == "beleid"]
    assert len(box.title) > 2
    assert " ".join(line.text for line in box.title) == plan.stage("beleid").title.nl


def test_traits_are_words_in_the_box():
    words = {
        box.id: " ".join(line.text for line in box.notes).replace("\u00a0", " ") for box in graph_of(small()).boxes
    }
    assert words["verkennen"] == "in rondes"
    assert words["beleid"] == "in rondes · per domein"
    assert words["werkgroep"] == "mag u overslaan"
    assert words["monitoren"] == "in rondes · doorlopend"
    assert words["bestaand-volstaat"] == "besluit · per domein"


def graph_of(plan: StepPlan) -> PlanGraph:
    return plan_graph(plan, "nl")


def test_alternatives_come_together_in_a_word():
    graph = graph_of(small())
    assert [box.title[0].text for box in graph.boxes if box.kind == "either"] == ["of"]
    # verkennen > beleid, verkennen > decision, beleid > of, decision > of, of > uitvoeren, uitvoeren > monitoren
    assert [arrow.kind for arrow in graph.arrows].count("required") == 6
    assert [arrow.kind for arrow in graph.arrows].count("advised") == 1


def test_advice_that_is_also_required_is_one_arrow():
    graph = graph_of(small("advised_after:\n      - {stage: werkgroep,", "advised_after:\n      - {stage: verkennen,"))
    assert {arrow.kind for arrow in graph.arrows} == {"required"}


def test_legend_explains_only_what_is_there():
    assert [line.kind for line in graph_of(small()).legend] == ["required", "advised", "either", "decision"]
    only = small(
        "    advised_after:\n      - {stage: werkgroep, why: {text: Samen lukt het beter., sources: [S1]}}\n", ""
    )
    assert "advised" not in [line.kind for line in graph_of(only).legend]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.id)
def test_drawing_is_the_same_every_time(plan: StepPlan):
    assert plan_graph(plan, "nl") == plan_graph(plan, "nl")


# --- as SVG ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(Assets(static_dir()), Site())


def svg(pages: Pages, graph: PlanGraph, **more: Any) -> ElementTree.Element:
    components: Any = pages.environment("nl").globals[COMPONENTS]
    return ElementTree.fromstring(components.plan_svg(graph, **more))


def test_svg_has_a_name_and_a_description_and_no_style_of_its_own(pages: Pages):
    root = svg(pages, graph_of(small()), id="x")
    assert root.get("role") == "img"
    named = {root.find(f"{SVG}{tag}").get("id") for tag in ("title", "desc")}  # type: ignore[union-attr]
    assert named == set(str(root.get("aria-labelledby")).split())
    for element in root.iter():
        assert element.tag != f"{SVG}style"
        assert "style" not in element.attrib
    assert len(list(root.iter(f"{SVG}rect"))) == 7


def test_text_of_a_plan_cannot_break_out_of_the_drawing(pages: Pages):
    plan = small("title: Beleid maken", 'title: "<b> & \\"Beleid\\""')
    text = "".join(svg(pages, graph_of(plan)).itertext())
    assert '<b> & "Beleid"' in text


def test_box_shows_the_state_of_its_stage_and_leads_to_it(pages: Pages):
    graph = plan_graph(small(), "nl", with_states=True)
    root = svg(
        pages, graph, states={"verkennen": ("Vastgesteld", "success")}, hrefs={"verkennen": "/trajecten/x/verkennen.1"}
    )
    assert root.get("role") == "group"  # in an image nobody would look for links
    [link] = root.iter(f"{SVG}a")
    assert link.get("href") == "/trajecten/x/verkennen.1"
    assert "Vastgesteld" in "".join(link.itertext())
    assert len(list(root.iter(f"{SVG}circle"))) == 1


@pytest.mark.parametrize(
    "word", ["Bezig", "Gewijzigd na akkoord", "Wacht op Inwoners en partners betrekken, en op meer"]
)
def test_state_fits_in_the_room_for_it(word: str):
    [box] = [box for box in plan_graph(small(), "nl", with_states=True).boxes if box.id == "beleid"]
    lines = box.state_lines(word)
    assert 1 <= len(lines) <= 2
    assert " ".join(line.text for line in lines).removesuffix(" …") in word
    for line in lines:
        assert line.y < box.place.y + box.place.height
        assert line.x + text_width(line.text.removesuffix(" …"), NOTE_SIZE, bold=True) <= box.place.x + box.place.width
    assert [each.state_lines(word) for each in plan_graph(small(), "nl").boxes] == [()] * 7


def test_title_that_is_only_there_in_dutch_is_marked_as_dutch(pages: Pages):
    components: Any = pages.environment("en").globals[COMPONENTS]
    graph = plan_graph(small("title: Verkennen", "title: {nl: Verkennen, en: Explore}"), "en")
    drawn = components.plan_svg(graph)
    assert re.search(r"<g>\s*<rect[^>]*/>\s*<text[^>]*><tspan[^>]*>Explore<", drawn)
    assert re.search(r'<g lang="nl">\s*<rect[^>]*/>\s*<text[^>]*><tspan[^>]*>Beleid', drawn)
