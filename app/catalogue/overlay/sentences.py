"""The sentences about additions to a plan, in English and Dutch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# These do not keep additions from being used.
OVERLAY_WARNINGS: Final = frozenset({"overlay_without_effect", "overlay_followed", "overlay_overtaken"})


def _both(en: str, nl: str) -> Mapping[str, str]:
    return {"en": en, "nl": nl}


OVERLAY_SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    # --- the file ---
    "bad_extends": _both(
        'is "{value}"; name a released version as plan@version, such as inclusief-beleid@1.0.0',
        'is "{value}"; noem een vastgestelde versie als plan@versie, zoals inclusief-beleid@1.0.0',
    ),
    "bad_prefix": _both(
        'is "{value}"; a prefix has at most 12 lowercase letters and digits and begins with a letter, such as zd',
        'is "{value}"; een voorvoegsel heeft hoogstens 12 kleine letters en cijfers en begint met een letter, zoals zd',
    ),
    "overlay_base_unknown": _both(
        "there is no released {value}{hint}",
        "er is geen vastgesteld {value}{hint}",
    ),
    "overlay_base_missing": _both(
        "there is no released {value} in {where}, seen from the folder of this file; put it there, or name "
        "another{hint}",
        "er is geen vastgesteld {value} in {where}, gezien vanaf de map van dit bestand; zet het daar neer, of noem "
        "een andere{hint}",
    ),
    "overlay_base_invalid": _both(
        "{value} has errors of its own; mend {where} first",
        "{value} heeft zelf fouten; herstel eerst {where}",
    ),
    # --- plans of a municipality ---
    "local_national_name": _both(
        '"{plan}" is the id of a plan that comes with the software; choose another id',
        '"{plan}" is de id van een plan dat bij de software hoort; kies een andere id',
    ),
    "local_version_taken": _both(
        "{value} was released already, and what is released never changes; give this a higher version",
        "{value} is al vastgesteld, en wat is vastgesteld verandert nooit; geef dit een hogere versie",
    ),
    # --- ids ---
    "overlay_prefix": _both(
        'the id "{value}" does not begin with the prefix, so a later version of the plan could use it too; write '
        "{prefix}-{value}",
        'de id "{value}" begint niet met het voorvoegsel, dus een latere versie van het plan kan die ook gebruiken; '
        "schrijf {prefix}-{value}",
    ),
    "overlay_prefix_taken": _both(
        'the plan has "{other}", which begins with {value} too; choose another prefix',
        'het plan heeft "{other}", en dat begint ook met {value}; kies een ander voorvoegsel',
    ),
    # --- places ---
    "overlay_no_part": _both(
        '{plan} has no "{value}"{hint}',
        '{plan} heeft geen "{value}"{hint}',
    ),
    "overlay_other_kind": _both(
        '"{value}" is a part of another kind{hint}',
        '"{value}" is een onderdeel van een andere soort{hint}',
    ),
    "overlay_part_gone": _both(
        '"{value}" was in {before} and is not in {plan}; name another part, or remove this',
        '"{value}" zat in {before} en zit niet in {plan}; noem een ander onderdeel, of haal dit weg',
    ),
    "overlay_part_split": _both(
        '"{value}" was split in {plan}, into {pieces}; name one of these',
        '"{value}" is in {plan} gesplitst in {pieces}; noem een van deze',
    ),
    # --- adding ---
    "overlay_evidence_twice": _both(
        "{step} asks for {value} already; write under tighten: {{evidence: {step}, kind: {value}, minimum: …}}",
        "{step} vraagt al om {value}; schrijf onder tighten: {{evidence: {step}, kind: {value}, minimum: …}}",
    ),
    "overlay_has_help": _both(
        '"{value}" has help of its own; remove this, as the words of the plan stay',
        '"{value}" heeft zelf al hulp; haal dit weg, want de woorden van het plan blijven staan',
    ),
    "overlay_has_translation": _both(
        '"{value}" has a text in {language} of its own; remove this, as the words of the plan stay',
        '"{value}" heeft zelf al een tekst in {language}; haal dit weg, want de woorden van het plan blijven staan',
    ),
    # --- asking more, asking less ---
    "overlay_says_nothing": _both(
        "changes nothing; add what is to be different ({value}), or remove this",
        "verandert niets; voeg toe wat anders moet ({value}), of haal dit weg",
    ),
    "overlay_no_evidence": _both(
        '{step} does not ask for evidence of kind "{value}"{hint}',
        '{step} vraagt niet om een bewijsstuk van soort "{value}"{hint}',
    ),
    "overlay_loosens": _both(
        "would ask less of {value} than {plan} does ({now}, here {wanted}), and the plan does not allow that; ask more "
        "or remove this (it allows to loosen: {allowed})",
        "zou minder van {value} vragen dan {plan} doet ({now}, hier {wanted}), en dat staat het plan niet toe; vraag "
        "meer of haal dit weg (versoepelen mag bij: {allowed})",
    ),
    "overlay_removes": _both(
        "{value} cannot be taken out of {plan}: the plan does not allow that; remove this (it allows to loosen: "
        "{allowed})",
        "{value} kan niet uit {plan} worden gehaald: dat staat het plan niet toe; haal dit weg (versoepelen mag bij: "
        "{allowed})",
    ),
    "overlay_rewords": _both(
        "{value} cannot get other words: {plan} does not allow that; add a question of your own, or remove this (it "
        "allows to loosen: {allowed})",
        "{value} kan geen andere woorden krijgen: dat staat {plan} niet toe; voeg een eigen vraag toe, of haal dit weg "
        "(versoepelen mag bij: {allowed})",
    ),
    "overlay_under_loosen": _both(
        "asks less of {value}, which {plan} allows; move it from tighten to loosen",
        "vraagt minder van {value}, en dat staat {plan} toe; zet het bij loosen in plaats van bij tighten",
    ),
    "overlay_not_looser": _both(
        "does not ask less of {value}; move it from loosen to tighten, or remove it",
        "vraagt niet minder van {value}; zet het bij tighten in plaats van bij loosen, of haal het weg",
    ),
    # --- warnings ---
    "overlay_without_effect": _both(
        "{plan} asks this of {value} already; remove it",
        "{plan} vraagt dit al van {value}; haal het weg",
    ),
    "overlay_followed": _both(
        '"{value}" is called "{after}" in {plan}, and is named so here now; look whether it is still in its place',
        '"{value}" heet "{after}" in {plan}, en is hier nu zo genoemd; kijk of het nog op zijn plaats staat',
    ),
    "overlay_overtaken": _both(
        "{plan} asks {now} by itself now, where you asked {value}; that of the plan counts, so you can remove this",
        "{plan} vraagt nu zelf {now}, waar u {value} vroeg; wat het plan vraagt telt, dus u kunt dit weghalen",
    ),
    "overlay_not_rewritten": _both(
        "the names in this file cannot be changed by themselves, as some are written with anchors or over several "
        "lines; change them by hand, beginning with extends: {value}",
        "de namen in dit bestand zijn niet vanzelf te veranderen, omdat er met ankers of over meer regels is "
        "geschreven; verander ze zelf, te beginnen met extends: {value}",
    ),
}
