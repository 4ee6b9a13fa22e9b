"""The sentences about step plans, in English and Dutch. Authors of plans read them on the command line, before there is
a database or a user whose language is known; hence a table here instead of gettext."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.catalogue.overlay.sentences import OVERLAY_SENTENCES, OVERLAY_WARNINGS

WARNING_WORD: Final = {"en": "warning", "nl": "let op"}
MEANT: Final = {"en": ', did you mean "{}"?', "nl": ', bedoelt u "{}"?'}
ADD_IT: Final = {"en": "; add what is missing, or remove this", "nl": "; voeg toe wat ontbreekt, of haal dit weg"}
LISTED: Final = {"en": "; choose from: {}", "nl": "; kies uit: {}"}

KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "text": {"en": "a text", "nl": "een tekst"},
    "number": {"en": "a number", "nl": "een getal"},
    "boolean": {"en": "true or false", "nl": "true of false"},
    "list": {"en": "a list", "nl": "een lijst"},
    "mapping": {"en": "a mapping (key: value)", "nl": "een groep (sleutel: waarde)"},
    "nothing": {"en": "nothing", "nl": "niets"},
}

# What libyaml says, and the sentence that says it to an author.
SYNTAX: Final[Mapping[str, str]] = {
    "mapping values are not allowed in this context": "yaml_colon",
    "could not find expected ':'": "yaml_no_colon",
    "did not find expected key": "yaml_indentation",
    "did not find expected '-' indicator": "yaml_dash",
    "block sequence entries are not allowed in this context": "yaml_dash",
    "did not find expected ',' or ']'": "yaml_bracket",
    "did not find expected ',' or '}'": "yaml_bracket",
    "found unexpected end of stream": "yaml_quote",
    "found unexpected document indicator": "yaml_quote",
    "found character that cannot start any token": "yaml_character",
    "found a tab character that violates indentation": "yaml_tab",
    "found a tab character where an indentation space is expected": "yaml_tab",
    "found unknown escape character": "yaml_escape",
    "did not find expected hexdecimal number": "yaml_escape",
    "found invalid Unicode character escape code": "yaml_escape",
}

# These do not keep a plan from being used.
WARNINGS: Final = frozenset(
    {
        "unused_source",
        "unused_decision",
        "unused_domains",
        "ground_not_listed",
        "since_invalid",
        "renamed_without_effect",
        "cosmetic_without_effect",
        "reason_without_effect",
        "renamed_undeclared",
        "changes_missing",
        "quorum_without_place",
        *OVERLAY_WARNINGS,
    }
)


def _both(en: str, nl: str) -> Mapping[str, str]:
    return {"en": en, "nl": nl}


SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    # --- the file ---
    "unreadable": _both(
        "cannot be read ({reason}); check the name and the permissions",
        "kan niet worden gelezen ({reason}); controleer de naam en de rechten",
    ),
    "too_large": _both(
        "is larger than {limit} KiB; split the plan, or shorten its texts",
        "is groter dan {limit} KiB; splits het plan of maak de teksten korter",
    ),
    "not_utf8": _both(
        "is not UTF-8 here; save the file as UTF-8",
        "is hier geen UTF-8; sla het bestand op als UTF-8",
    ),
    "unwanted_character": _both(
        "the invisible character {value} cannot be in a plan; remove it",
        "het onzichtbare teken {value} mag niet in een plan staan; haal het weg",
    ),
    "control_character": _both(
        "this text holds a control character, written as an escape; remove it",
        "in deze tekst staat een besturingsteken, geschreven als escape; haal het weg",
    ),
    "empty_document": _both(
        "is empty; begin with: format: 1",
        "is leeg; begin met: format: 1",
    ),
    "more_problems": _both(
        "and at least {n} more; mend the ones above first, then check again",
        "en nog minstens {n}; los eerst die hierboven op en controleer dan opnieuw",
    ),
    "wrong_place": _both(
        "this plan belongs in {value}; move the file, or change plan.id or plan.version",
        "dit plan hoort in {value}; verplaats het bestand, of pas plan.id of plan.version aan",
    ),
    "wrong_suffix": _both(
        "is not loaded; give the file a name that ends in .yaml",
        "wordt niet geladen; geef het bestand een naam die eindigt op .yaml",
    ),
    "no_plans": _both(
        "holds no step plan; put one in <plan id>/<version>.yaml",
        "bevat geen stappenplan; zet er een in <plan-id>/<versie>.yaml",
    ),
    "nothing_released": _both(
        "holds no released step plan; release one with: stappenplan plan release <plan id>@<version>",
        "bevat geen vastgesteld stappenplan; stel er een vast met: stappenplan plan release <plan-id>@<versie>",
    ),
    # --- released versions ---
    "released_changed": _both(
        "{part} was changed after {plan}@{version} was released; put it back as it was, and make the change in a new "
        "version: stappenplan plan new {plan} --version <higher version>",
        "{part} is veranderd nadat {plan}@{version} is vastgesteld; zet het terug zoals het was, en maak de wijziging "
        "in een nieuwe versie: stappenplan plan new {plan} --version <hogere versie>",
    ),
    "released_added": _both(
        "{part} was added after {plan}@{version} was released; take it out, and add it in a new version: "
        "stappenplan plan new {plan} --version <higher version>",
        "{part} is toegevoegd nadat {plan}@{version} is vastgesteld; haal het weg, en voeg het toe in een nieuwe "
        "versie: stappenplan plan new {plan} --version <hogere versie>",
    ),
    "released_missing": _both(
        "{part} was here when {plan}@{version} was released; put it back, and leave it out in a new version: "
        "stappenplan plan new {plan} --version <higher version>",
        "{part} stond hier toen {plan}@{version} werd vastgesteld; zet het terug, en laat het weg in een nieuwe "
        "versie: stappenplan plan new {plan} --version <hogere versie>",
    ),
    "released_order": _both(
        "the order of {part} was changed after {plan}@{version} was released; put the items back in their order, and "
        "change it in a new version: stappenplan plan new {plan} --version <higher version>",
        "de volgorde van {part} is veranderd nadat {plan}@{version} is vastgesteld; zet de onderdelen terug in hun "
        "volgorde, en verander die in een nieuwe versie: stappenplan plan new {plan} --version <hogere versie>",
    ),
    "released_other_digest": _both(
        "the lock has another digest for {plan}@{version}, though all parts are the same; put released.json back as "
        "it was",
        "in de lijst van vastgestelde versies staat een andere digest voor {plan}@{version}, terwijl alle onderdelen "
        "gelijk zijn; zet released.json terug zoals het was",
    ),
    "released_gone": _both(
        "was released, and {value} is not there; put the file back",
        "is vastgesteld, en {value} is er niet; zet het bestand terug",
    ),
    "lock_not_json": _both(
        "is no valid JSON here ({reason}); put the file back as it was, it is written by: stappenplan plan release",
        "is hier geen geldige JSON ({reason}); zet het bestand terug zoals het was, het wordt geschreven door: "
        "stappenplan plan release",
    ),
    "lock_repeated_key": _both(
        'has the key "{value}" twice in one place; keep one of the two',
        'heeft de sleutel "{value}" twee keer op één plek; houd één van de twee',
    ),
    "lock_shape": _both(
        "is not right in the list of released versions ({reason}); put the file back as it was, it is written by: "
        "stappenplan plan release",
        "klopt niet in de lijst van vastgestelde versies ({reason}); zet het bestand terug zoals het was, het wordt "
        "geschreven door: stappenplan plan release",
    ),
    # --- YAML ---
    "yaml_colon": _both(
        "a colon followed by a space makes a key, and there can be none here; put the text between quotes, or mend "
        "the indentation",
        "een dubbele punt met een spatie maakt een sleutel, en die kan hier niet staan; zet de tekst tussen "
        "aanhalingstekens of herstel de inspringing",
    ),
    "yaml_no_colon": _both(
        "the line before this should be a key with a colon and a space; write `key: value`, or indent the line",
        "de regel hiervoor moet een sleutel met een dubbele punt en een spatie zijn; schrijf `sleutel: waarde` of "
        "spring de regel in",
    ),
    "yaml_indentation": _both(
        "this does not fit what is around it; check the indentation, and put a text that begins with a quote or "
        "bracket between quotes as a whole",
        "dit past niet bij wat eromheen staat; controleer de inspringing, en zet een tekst die met een "
        "aanhalingsteken of haak begint in zijn geheel tussen aanhalingstekens",
    ),
    "yaml_dash": _both(
        "a list item begins with `- ` on a line of its own, as deep as the items above; check the dash and the "
        "indentation",
        "een onderdeel van een lijst begint met `- ` op een eigen regel, even diep als de onderdelen erboven; "
        "controleer het streepje en de inspringing",
    ),
    "yaml_bracket": _both(
        "a comma or a closing bracket is missing here; close the list or group, and put a text with commas or "
        "brackets between quotes",
        "hier ontbreekt een komma of een haakje; sluit de lijst of groep, en zet een tekst met komma's of haken "
        "tussen aanhalingstekens",
    ),
    "yaml_quote": _both(
        "the quote that opens on line {line} is never closed; close it",
        "het aanhalingsteken dat op regel {line} opent, wordt niet gesloten; sluit het",
    ),
    "yaml_character": _both(
        'a text cannot begin with "{value}"; put it between quotes',
        'een tekst kan niet beginnen met "{value}"; zet hem tussen aanhalingstekens',
    ),
    "yaml_tab": _both(
        "there is a tab here; indent with spaces",
        "hier staat een tab; spring in met spaties",
    ),
    "yaml_escape": _both(
        "a backslash between double quotes begins an escape, and this is none; use single quotes",
        "een backslash tussen dubbele aanhalingstekens begint een escape, en dit is er geen; gebruik enkele "
        "aanhalingstekens",
    ),
    "yaml_other": _both(
        "is no valid YAML ({reason}); check quotes, brackets and indentation here and just above",
        "is geen geldige YAML ({reason}); controleer aanhalingstekens, haken en inspringing hier en net erboven",
    ),
    "directive": _both(
        "a line that begins with % is a YAML directive, which plans do not use; remove the line, or indent it if it "
        "is text",
        "een regel die met % begint is een YAML-opdracht, en die gebruikt een plan niet; haal de regel weg, of spring"
        " hem in als het tekst is",
    ),
    "several_documents": _both(
        "a second document begins here; a file holds one plan, remove the line with --- or ...",
        "hier begint een tweede document; een bestand bevat één plan, haal de regel met --- of ... weg",
    ),
    "tag": _both(
        'the tag "{value}" is not allowed; remove it, and put a text that begins with ! between quotes',
        'de tag "{value}" mag niet; haal hem weg, en zet een tekst die met ! begint tussen aanhalingstekens',
    ),
    "not_a_key": _both(
        "a key must be a plain text; write `key: value`",
        "een sleutel moet gewone tekst zijn; schrijf `sleutel: waarde`",
    ),
    "too_deep": _both(
        "is nested deeper than {limit} levels; check the indentation and brackets",
        "is dieper genest dan {limit} niveaus; controleer inspringing en haken",
    ),
    "too_many_values": _both(
        "the file holds more than {limit} values, aliases written out; split the plan",
        "het bestand bevat meer dan {limit} waarden, met aliassen uitgeschreven; splits het plan",
    ),
    "too_many_aliases": _both(
        "there are more than {limit} aliases (*name); write the values out",
        "er zijn meer dan {limit} aliassen (*naam); schrijf de waarden uit",
    ),
    "unknown_alias": _both(
        'the alias "*{value}" has no anchor "&{value}" above it; write the value out, or put a text that begins with '
        "* between quotes",
        'voor de alias "*{value}" staat er geen anker "&{value}" boven; schrijf de waarde uit, of zet een tekst die '
        "met * begint tussen aanhalingstekens",
    ),
    "alias_in_itself": _both(
        'the alias "*{value}" stands inside its own anchor, so it would never end; write the value out',
        'de alias "*{value}" staat binnen zijn eigen anker en zou dus nooit eindigen; schrijf de waarde uit',
    ),
    "merge_key": _both(
        "merging with << is not allowed; write the keys out",
        "samenvoegen met << mag niet; schrijf de sleutels uit",
    ),
    "repeated_key": _both(
        "this key is on line {line} too; keep one of the two",
        "deze sleutel staat ook op regel {line}; houd één van de twee",
    ),
    "no_value": _both(
        "there is no value here; fill it in, or remove the key or dash",
        "hier staat geen waarde; vul hem in, of haal de sleutel of het streepje weg",
    ),
    # --- shape ---
    "unknown_format": _both(
        "this is format {value}, and this version of the software reads format {known}; write `format: {known}`, or "
        "use a newer version",
        "dit is formaat {value}, en deze versie van de software leest formaat {known}; schrijf `format: {known}` of "
        "gebruik een nieuwere versie",
    ),
    "unknown_key": _both(
        "unknown key{hint}",
        "onbekende sleutel{hint}",
    ),
    "missing_key": _both(
        "is missing; add this key",
        "ontbreekt; voeg deze sleutel toe",
    ),
    "unquoted_text": _both(
        "must be a text, and {value} without quotes is none; put it between quotes",
        "moet een tekst zijn, en {value} zonder aanhalingstekens is dat niet; zet het tussen aanhalingstekens",
    ),
    "not_text": _both(
        "must be a text; this is {found}",
        "moet een tekst zijn; dit is {found}",
    ),
    "not_boolean": _both(
        "must be true or false, without quotes; this is {found}",
        "moet true of false zijn, zonder aanhalingstekens; dit is {found}",
    ),
    "not_number": _both(
        "must be a number, without quotes; this is {found}",
        "moet een getal zijn, zonder aanhalingstekens; dit is {found}",
    ),
    "not_whole_number": _both(
        "must be a whole number, without quotes; this is {found}",
        "moet een heel getal zijn, zonder aanhalingstekens; dit is {found}",
    ),
    "has_fraction": _both(
        "must be a whole number; leave out the part after the point",
        "moet een heel getal zijn; laat het deel na de punt weg",
    ),
    "not_finite": _both(
        "must be a number that can be written out; write another",
        "moet een getal zijn dat u kunt uitschrijven; schrijf een ander",
    ),
    "number_too_small": _both(
        "must be {limit} or more; choose a higher number",
        "moet {limit} of meer zijn; kies een hoger getal",
    ),
    "number_too_large": _both(
        "must be {limit} or less; choose a lower number",
        "mag hooguit {limit} zijn; kies een lager getal",
    ),
    "not_list": _both(
        "must be a list (each item after a dash, or all between [ and ]); this is {found}",
        "moet een lijst zijn (elk onderdeel na een streepje, of alles tussen [ en ]); dit is {found}",
    ),
    "not_mapping": _both(
        "must be a mapping (key: value); this is {found}",
        "moet een groep zijn (sleutel: waarde); dit is {found}",
    ),
    "too_many_items": _both(
        "has more than {limit} items; split it",
        "heeft meer dan {limit} onderdelen; splits het",
    ),
    "too_few_items": _both(
        "has {n} items and needs at least {limit}; add to it, or remove the key",
        "heeft {n} onderdelen en moet er minstens {limit} hebben; vul het aan of haal de sleutel weg",
    ),
    "no_steps": _both(
        "a stage needs at least one step; add one, or remove the stage",
        "een fase heeft minstens één stap nodig; voeg er een toe of haal de fase weg",
    ),
    "no_stages": _both(
        "a plan needs at least one stage; add one",
        "een plan heeft minstens één fase nodig; voeg er een toe",
    ),
    "empty_text": _both(
        "must not be empty; write a text, or remove the key",
        "is leeg; schrijf een tekst of haal de sleutel weg",
    ),
    "text_too_long": _both(
        "has more than {limit} characters; make it shorter",
        "heeft meer dan {limit} tekens; maak het korter",
    ),
    "several_lines": _both(
        "must be on one line; take out the line breaks",
        "moet op één regel staan; haal de regeleinden weg",
    ),
    "bad_id": _both(
        'is "{value}"; an id has lowercase letters, digits and single hyphens, such as beleid-maken',
        'is "{value}"; een id heeft kleine letters, cijfers en losse koppeltekens, zoals beleid-maken',
    ),
    "bad_source_id": _both(
        'is "{value}"; the id of a source has letters, digits and single hyphens, such as S12',
        'is "{value}"; de id van een bron heeft letters, cijfers en losse koppeltekens, zoals S12',
    ),
    "bad_version": _both(
        'is "{value}"; a version has three numbers and maybe a pre-release, such as 1.2.0 or 2.0.0-rc.1',
        'is "{value}"; een versie heeft drie getallen en eventueel een voorlopig deel, zoals 1.2.0 of 2.0.0-rc.1',
    ),
    "bad_part": _both(
        'is "{value}"; a part is written as stage, stage/step, stage/step/question, stage/checklist/statement, '
        "decisions.id or grounds.id, such as visie/waarom",
        'is "{value}"; een onderdeel schrijft u als fase, fase/stap, fase/stap/vraag, fase/checklist/stelling, '
        "decisions.id of grounds.id, zoals visie/waarom",
    ),
    "bad_url": _both(
        'is "{value}"; an address begins with https:// or http:// and has no spaces, user name or password',
        'is "{value}"; een adres begint met https:// of http:// en heeft geen spaties, gebruikersnaam of wachtwoord',
    ),
    "bad_language": _both(
        'is "{value}"; a language is a code of two letters, such as nl or en',
        'is "{value}"; een taal is een code van twee letters, zoals nl of en',
    ),
    "no_dutch": _both(
        "has no Dutch text; add nl: …",
        "heeft geen Nederlandse tekst; voeg nl: … toe",
    ),
    "unknown_choice": _both(
        '"{value}" is not possible here{hint}',
        '"{value}" kan hier niet{hint}',
    ),
    "other_shape": _both(
        "is not right ({reason}); compare it with a plan that works",
        "klopt niet ({reason}); vergelijk het met een plan dat werkt",
    ),
    # --- meaning ---
    "no_origin": _both(
        "does not say where it comes from; name `sources`, or write `addition: true` if it is an addition of your own",
        "zegt niet waar het vandaan komt; noem `sources`, of schrijf `addition: true` als het een eigen aanvulling is",
    ),
    "repeated_id": _both(
        'the id "{value}" is used at {first} too; choose another',
        'de id "{value}" is ook gebruikt bij {first}; kies een andere',
    ),
    "repeated_value": _both(
        '"{value}" is in this list twice; remove one',
        '"{value}" staat twee keer in deze lijst; haal er een weg',
    ),
    "reserved_id": _both(
        'the id "{value}" is reserved for the checklist of a stage; choose another',
        'de id "{value}" is bedoeld voor de checklist van een fase; kies een andere',
    ),
    "unknown_source": _both(
        'there is no source "{value}" under sources{hint}',
        'er is geen bron "{value}" onder sources{hint}',
    ),
    "unknown_ground": _both(
        'there is no ground "{value}" under grounds{hint}',
        'er is geen grond "{value}" onder grounds{hint}',
    ),
    "unknown_kind": _both(
        'there is no kind of evidence "{value}" under evidence_kinds{hint}',
        'er is geen soort bewijsstuk "{value}" onder evidence_kinds{hint}',
    ),
    "unknown_role": _both(
        'there is no role "{value}" under roles{hint}',
        'er is geen rol "{value}" onder roles{hint}',
    ),
    "unknown_stage": _both(
        'there is no stage "{value}"{hint}',
        'er is geen fase "{value}"{hint}',
    ),
    "unknown_decision": _both(
        'there is no decision "{value}" under decisions{hint}',
        'er is geen besluit "{value}" onder decisions{hint}',
    ),
    "options_missing": _both(
        "the type {value} needs options, {limit} or more; add them, or change the type",
        "het type {value} heeft opties nodig, {limit} of meer; voeg ze toe of verander het type",
    ),
    "columns_missing": _both(
        "a table needs columns; add them, or change the type",
        "een tabel heeft kolommen nodig; voeg ze toe of verander het type",
    ),
    "key_of_other_type": _both(
        "goes with the type {value} only; remove it, or change the type",
        "hoort alleen bij het type {value}; haal het weg of verander het type",
    ),
    "minimum_above_maximum": _both(
        "is more than the maximum ({limit}), so no answer can be right; change one of the two",
        "is meer dan het maximum ({limit}), dus geen antwoord kan goed zijn; verander een van de twee",
    ),
    "quorum_role_twice": _both(
        'names the role "{value}" twice; join the two and raise approvals',
        'noemt de rol "{value}" twee keer; voeg ze samen en verhoog approvals',
    ),
    "quorum_role_unknown": _both(
        'nobody with the role "{value}" may approve here; add the role to approvers, or remove it here',
        'niemand met de rol "{value}" mag hier akkoord geven; voeg de rol toe aan approvers of haal hem hier weg',
    ),
    "quorum_impossible": _both(
        "asks for {value} approvals by role, of {limit} in all, so it is never met; raise approvals, or ask for fewer",
        "vraagt {value} akkoorden per rol, van {limit} in totaal: dat lukt nooit; verhoog approvals of vraag er minder",
    ),
    "quorum_without_place": _both(
        'approval by the role "{value}" never helps, since every place is for another role; '
        "raise approvals, or remove the role",
        'een akkoord van de rol "{value}" helpt nooit, want elke plaats is voor een andere rol; '
        "verhoog approvals of haal de rol weg",
    ),
    "repeated_kind": _both(
        'this step asks for evidence of kind "{value}" twice; join the two and raise `minimum`',
        'deze stap vraagt twee keer om een bewijsstuk van soort "{value}"; voeg ze samen en verhoog `minimum`',
    ),
    "condition_unknown": _both(
        'this step has no question "{value}"{hint}',
        'deze stap heeft geen vraag "{value}"{hint}',
    ),
    "condition_itself": _both(
        "a question cannot depend on its own answer; name an earlier question",
        "een vraag kan niet afhangen van het eigen antwoord; noem een eerdere vraag",
    ),
    "condition_later": _both(
        'the question "{value}" comes later; put it before this one',
        'de vraag "{value}" komt later; zet die vóór deze',
    ),
    "condition_without_choices": _both(
        'the question "{value}" has no answers to choose from; remove any_of, so that any answer counts',
        'de vraag "{value}" heeft geen antwoorden om uit te kiezen; haal any_of weg, dan telt elk antwoord',
    ),
    "condition_unknown_answer": _both(
        'the question "{question}" has no answer "{value}"{hint}',
        'de vraag "{question}" heeft geen antwoord "{value}"{hint}',
    ),
    "requires_itself": _both(
        "this requires itself, so it could never begin; remove it",
        "dit vereist zichzelf en kan dus nooit beginnen; haal het weg",
    ),
    "requires_circle": _both(
        "requirements go round in a circle, so none of these could begin: {value}; remove one of them",
        "de eisen gaan in een kring rond, zodat geen van deze kan beginnen: {value}; haal er een weg",
    ),
    "never_possible": _both(
        '"{value}" can never begin, because what is required here never can; require something else',
        '"{value}" kan nooit beginnen, want wat hier vereist is kan dat ook niet; eis iets anders',
    ),
    "no_domains": _both(
        "is per domain, and this plan has no domains; add domains, or remove per_domain",
        "is per domein, en dit plan heeft geen domeinen; voeg domains toe of haal per_domain weg",
    ),
    "repeated_requirement": _both(
        "this is required twice; remove one",
        "dit is twee keer vereist; haal er een weg",
    ),
    "across_without_use": _both(
        "across only means something when a part without domains requires a stage per domain; remove it",
        "across betekent alleen iets als een onderdeel zonder domeinen een fase per domein vereist; haal het weg",
    ),
    "round_without_use": _both(
        'the stage "{value}" is not repeatable, so it has no latest round; remove round',
        'de fase "{value}" is niet herhaalbaar en heeft dus geen laatste ronde; haal round weg',
    ),
    "advice_itself": _both(
        "a stage cannot be advised after itself; remove it",
        "een fase kan niet na zichzelf worden geadviseerd; haal het weg",
    ),
    "advice_repeated": _both(
        'the stage "{value}" is advised here twice; remove one',
        'de fase "{value}" wordt hier twee keer geadviseerd; haal er een weg',
    ),
    "advice_backwards": _both(
        'the stage "{value}" cannot begin before this one, so the advice cannot be followed; remove it',
        'de fase "{value}" kan niet vóór deze beginnen, dus het advies is niet op te volgen; haal het weg',
    ),
    "advice_circle": _both(
        "advice goes round in a circle: {value}; remove one of them",
        "de adviezen gaan in een kring rond: {value}; haal er een weg",
    ),
    # --- changes ---
    "since_not_lower": _both(
        "is {value}, and this plan is version {version}; name a lower one, which this version takes the place of",
        "is {value}, en dit plan is versie {version}; noem een lagere versie, die waar deze voor in de plaats komt",
    ),
    "since_missing": _both(
        "there is no version {value} beside this file; name the version that this one takes the place of, or put its "
        "file back",
        "er staat geen versie {value} naast dit bestand; noem de versie waar deze voor in de plaats komt, of zet het "
        "bestand ervan terug",
    ),
    "part_unknown": _both(
        'this version has no "{value}"{hint}',
        'deze versie heeft geen "{value}"{hint}',
    ),
    "part_unknown_before": _both(
        'version {since} has no "{value}"{hint}',
        'versie {since} heeft geen "{value}"{hint}',
    ),
    "part_unknown_anywhere": _both(
        'neither this version nor {since} has "{value}"{hint}',
        'deze versie en {since} hebben allebei geen "{value}"{hint}',
    ),
    "part_named_twice": _both(
        '"{value}" is named at {first} too; say one thing about a part',
        '"{value}" staat ook bij {first}; zeg één ding over een onderdeel',
    ),
    "part_taken": _both(
        'another part became "{value}" already, at {first}; if several parts became one, name them all under merged',
        'bij {first} werd al een ander onderdeel "{value}"; zijn het er meer die één werden, noem ze dan allemaal '
        "onder merged",
    ),
    "part_kinds_differ": _both(
        '"{first}" and "{value}" are parts of different kinds; name two stages, two steps, two questions, two '
        "statements or two decisions",
        '"{first}" en "{value}" zijn verschillende soorten onderdelen; noem twee fasen, twee stappen, twee vragen, '
        "twee stellingen of twee besluiten",
    ),
    "not_renamed": _both(
        '"{value}" cannot be renamed: a ground with another id is another ground; remove this',
        '"{value}" kan geen andere naam krijgen: een grond met een andere id is een andere grond; haal dit weg',
    ),
    "not_split": _both(
        '"{value}" cannot be split, only a step can; write under renamed where its answers go, and leave out the rest',
        '"{value}" kan niet worden gesplitst, alleen een stap; schrijf onder renamed waar de antwoorden heen gaan, en '
        "laat de rest weg",
    ),
    "not_merged": _both(
        '"{value}" cannot be merged, only steps, questions and statements can; merge the steps or questions in it',
        '"{value}" kan niet worden samengevoegd, alleen stappen, vragen en stellingen; voeg de stappen of vragen '
        "erin samen",
    ),
    "part_domains_differ": _both(
        'of "{value}" and "{after}" one is per domain and the other is not, so that work cannot go along; remove this, '
        "or make both the same",
        'van "{value}" en "{after}" is er één per domein en de ander niet, dus kan het werk niet mee; haal dit weg, of '
        "maak ze gelijk",
    ),
    "part_type_differs": _both(
        '"{value}" had the type {before} and gets the type {after}, so no answer fits; keep the type, or remove this '
        "and let it be a new question",
        '"{value}" had het type {before} en krijgt het type {after}, dus geen antwoord past; houd het type gelijk, '
        "of haal dit weg en laat het een nieuwe vraag zijn",
    ),
    "cosmetic_not_same": _both(
        "is new since {since}, or several questions became this one, so people have to look at it anyway; remove it "
        "here",
        "is nieuw sinds {since}, of meer vragen werden deze ene, dus mensen moeten er toch naar kijken; haal het hier "
        "weg",
    ),
    "cosmetic_meaning": _both(
        "more than the words changed since {since}: {value}; remove it here, so that people look at it again",
        "er veranderde meer dan de woorden sinds {since}: {value}; haal het hier weg, zodat mensen er opnieuw naar "
        "kijken",
    ),
    # --- warnings ---
    "since_invalid": _both(
        "version {value} has errors of its own, so this was not compared with it; mend that file first",
        "versie {value} heeft zelf fouten, dus dit is er niet mee vergeleken; herstel eerst dat bestand",
    ),
    "renamed_without_effect": _both(
        "this says what happens without it too, as the id and the place are the same; remove it",
        "dit zegt wat ook vanzelf gebeurt, want de id en de plaats zijn hetzelfde; haal het weg",
    ),
    "cosmetic_without_effect": _both(
        "the words are still those of {since}; remove it here",
        "de woorden zijn nog die van {since}; haal het hier weg",
    ),
    "reason_without_effect": _both(
        "no change since {since} is about this part, so nobody gets to read the reason; name the part that changed, "
        "or remove it",
        "geen wijziging sinds {since} gaat over dit onderdeel, dus niemand krijgt de reden te lezen; noem het "
        "onderdeel dat veranderde, of haal het weg",
    ),
    "renamed_undeclared": _both(
        '"{before}" is gone and this says nearly the same: did you mean to declare renamed? Then write under '
        "changes.renamed: {{before: {before}, after: {after}}}; without it, answers do not go along",
        '"{before}" is weg en dit zegt bijna hetzelfde: is het een andere naam voor hetzelfde onderdeel? Schrijf dan '
        "onder changes.renamed: {{before: {before}, after: {after}}}; zonder dat gaan antwoorden niet mee",
    ),
    "changes_missing": _both(
        "takes the place of {value} and does not say what changed; add changes: with since: {value} and a summary (in "
        "the next version, if this one was released)",
        "komt in de plaats van {value} en zegt niet wat er veranderde; voeg changes: toe met since: {value} en een "
        "summary (in de volgende versie, als deze al is vastgesteld)",
    ),
    "unused_source": _both(
        "nothing in the plan refers to this source; name it where it was used, or remove it",
        "niets in het plan verwijst naar deze bron; noem hem waar hij gebruikt is, of haal hem weg",
    ),
    "unused_decision": _both(
        "nothing in the plan requires this decision, so it opens nothing; require it somewhere, or remove it",
        "niets in het plan vereist dit besluit, dus het opent niets; eis het ergens of haal het weg",
    ),
    "unused_domains": _both(
        "no stage or decision is per domain, so choosing domains changes nothing; add per_domain: true, or remove "
        "these",
        "geen fase of besluit is per domein, dus kiezen van domeinen verandert niets; voeg per_domain: true toe of "
        "haal deze weg",
    ),
    "ground_not_listed": _both(
        'the stage does not name the ground "{value}" under grounds; add it there',
        'de fase noemt de grond "{value}" niet onder grounds; voeg hem daar toe',
    ),
    **OVERLAY_SENTENCES,
}
