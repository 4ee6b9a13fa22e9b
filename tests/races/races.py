"""What can be done by several people or processes at the same moment; each race says what came of it.

A race takes the place and how many take part, and raises AssertionError when there was not exactly one effect."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import httpx2 as httpx

from tests.features.local_plans.sending import SMALL_OVERLAY
from tests.races.place import MANAGERS, Place, Sent

Race = Callable[[Place, int], Counter[int]]
STAGE = "/fasen/verkennen.1"


def statuses(answers: Sequence[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def expect(found: Any, wanted: Any) -> None:
    assert found == wanted, f"{found} instead of {wanted}"


def managers(count: int) -> list[str]:
    return [MANAGERS[number % len(MANAGERS)] for number in range(count)]


def many_managers_approve(place: Place, count: int) -> Counter[int]:
    run = place.asked()
    answers = place.at_once([place.decision(login, run, besluit="akkoord") for login in managers(count)])
    found = statuses(answers)
    expect(place.kinds(run)["StageApproved"], 1)
    expect(set(found) <= {303, 409}, True)
    place.holds(run)
    return found


def approve_against_send_back(place: Place, count: int) -> Counter[int]:
    run = place.asked()
    decisions = [{"besluit": "akkoord"}, {"besluit": "terugsturen", "reden__overzicht": "Kijk nog eens."}]
    answers = place.at_once(
        [place.decision(login, run, **decisions[number % 2]) for number, login in enumerate(managers(count))]
    )
    kinds = place.kinds(run)
    expect(kinds["StageApproved"] + kinds["StageSentBack"], 1)
    expect(set(statuses(answers)) <= {303, 409}, True)
    place.holds(run)
    return statuses(answers)


def approve_against_the_team(place: Place, count: int) -> Counter[int]:
    """The team takes the request back, saves a step and adds evidence, while managers approve."""
    run = place.asked()
    stage = run + STAGE
    team = [
        place.form("anna", f"{stage}/akkoord-vragen", f"{stage}/verzoek-intrekken"),
        *(place.evidence(stage, f"https://raad.example.nl/{number}", "bram") for number in range(count // 4)),
    ]
    deciding = [place.decision(login, run, besluit="akkoord") for login in managers(count - len(team))]
    before = place.kinds(run)
    answers = place.at_once([*team, *deciding])
    kinds = place.kinds(run) - before
    expect(kinds["StageApproved"] <= 1, True)
    expect(kinds["RequestWithdrawn"] <= 1, True)
    # Evidence that came in first makes all of these out of date: then nobody decided on what nobody had seen.
    expect(kinds["StageApproved"] + kinds["RequestWithdrawn"] + kinds["EvidenceAdded"] >= 1, True)
    expect(set(statuses(answers)) <= {303, 409}, True)
    place.holds(run)
    return statuses(answers)


def same_form_many_times(place: Place, count: int) -> Counter[int]:
    """A double click, and a browser that tries again and again: the same key."""
    run = place.asked()
    answers = place.at_once([place.decision("carla", run, besluit="akkoord")] * count)
    expect(place.kinds(run)["StageApproved"], 1)
    expect(statuses(answers), Counter({303: count}))
    expect({answer.headers["location"] for answer in answers}, {run + STAGE})
    place.holds(run)
    return statuses(answers)


def same_save_many_times(place: Place, count: int) -> Counter[int]:
    run = place.begun()
    page = f"{run}{STAGE}/stappen/overzicht"
    sent = place.form("anna", page, antwoord__naam="Eén keer", actie="opslaan")
    answers = place.at_once([sent] * count)
    expect(place.kinds(run)["StepSaved"], 1)
    expect(statuses(answers), Counter({303: count}))
    place.holds(run)
    return statuses(answers)


def two_people_save_one_answer(place: Place, count: int) -> Counter[int]:
    run = place.begun()
    page = f"{run}{STAGE}/stappen/overzicht"
    sent = [
        place.form(("anna", "bram")[number % 2], page, antwoord__naam=f"Tekst {number}", actie="opslaan")
        for number in range(count)
    ]
    answers = place.at_once(sent)
    expect(statuses(answers), Counter({303: 1, 409: count - 1}))
    expect(place.kinds(run)["StepSaved"], 1)
    place.holds(run)
    return statuses(answers)


def a_stage_begins(place: Place, count: int) -> Counter[int]:
    run = f"/trajecten/{place.world.a_run(place.browser('anna'))}"
    sent = [place.form(("anna", "bram")[n % 2], run + STAGE, f"{run}{STAGE}/starten") for n in range(count)]
    answers = place.at_once(sent)
    expect(statuses(answers), Counter({303: 1, 409: count - 1}))
    expect(place.kinds(run)["StageStarted"], 1)
    place.holds(run)
    return statuses(answers)


def a_round_begins(place: Place, count: int) -> Counter[int]:
    run = place.asked()
    approval = place.decision("carla", run, besluit="akkoord")
    place.browser("carla").post(approval.address, approval.fields)
    action = f"{run}/fasen/verkennen.2/starten"
    sent = [place.form(("anna", "bram")[n % 2], run + STAGE, action, reden="Het is tijd.") for n in range(count)]
    answers = place.at_once(sent)
    expect(statuses(answers), Counter({303: 1, 409: count - 1}))
    expect(place.kinds(run)["StageStarted"], 2)
    place.holds(run)
    return statuses(answers)


def first_evidence_of_two(place: Place, count: int) -> Counter[int]:
    """Nobody hinders the other: everything is added, each once."""
    run = place.begun()
    sent = [
        place.evidence(run + STAGE, f"https://raad.example.nl/{number // 2}", ("anna", "bram")[number // 2 % 2])
        for number in range(0, count * 2, 2)
    ]
    answers = place.at_once([each for each in sent for _ in range(2)])
    expect(statuses(answers), Counter({303: count * 2}))
    expect(place.kinds(run)["EvidenceAdded"], count)
    place.holds(run)
    return statuses(answers)


def administrators_disable_each_other(place: Place, count: int) -> Counter[int]:
    """Nobody may be left without: of two who disable each other just one goes."""
    pair = ("ferry", "gerda")
    here = "/beheer/gebruikers"
    sent = []
    for number in range(count):
        me, other = pair[number % 2], place.world.users[pair[1 - number % 2]]
        sent.append(place.form(me, f"{here}/{other}", f"{here}/{other}/uitschakelen"))
    answers = place.at_once(sent)
    left = [login for login in pair if place.browser(login).get(here, follow_redirects=False).status_code == 200]
    assert len(left) == 1, (left, statuses(answers))
    gone = place.world.users[next(login for login in pair if login not in left)]
    back = place.form(left[0], f"{here}/{gone}", f"{here}/{gone}/inschakelen")
    place.browser(left[0]).post(back.address, back.fields)
    place.sign_in_again(next(login for login in pair if login not in left))
    return statuses(answers)


def a_local_plan_is_released(place: Place, count: int) -> Counter[int]:
    ferry, add = place.browser("ferry"), "/beheer/stappenplannen/toevoegen"
    before = ferry.get("/beheer/stappenplannen").text.count("/beheer/stappenplannen/")
    text = SMALL_OVERLAY.replace("version: 1.0.0", f"version: 1.{before}.0")
    draft = ferry.post(add, {"tekst": text}, follow_redirects=False).headers["location"]
    sent = [
        place.form(("ferry", "gerda")[n % 2], draft, f"{draft}/vaststellen", reden=f"Reden {n}") for n in range(count)
    ]
    answers = place.at_once(sent)
    expect(set(statuses(answers)) <= {303, 409}, True)
    reasons = set(re.findall(r"Reden \d+", ferry.get(draft).text))
    expect(len(reasons), 1)
    return statuses(answers)


def a_link_is_used(place: Place, count: int) -> Counter[int]:
    """A link to choose a password counts once."""
    bram = f"/beheer/gebruikers/{place.world.users['bram']}"
    made = place.form("ferry", bram, f"{bram}/link")
    page = place.browser("ferry").post(made.address, made.fields).text
    link = re.search(r"/wachtwoord/[\w-]+", page)
    assert link is not None
    sent = [
        Sent(
            "",
            link[0],
            {"nieuw-wachtwoord": f"zes paarse laarzen {n}", "nieuw-wachtwoord-2": f"zes paarse laarzen {n}"},
        )
        for n in range(min(count, 4))  # each hashes a password
    ]
    answers = place.at_once(sent)
    expect(statuses(answers)[303], 1)
    place.sign_in_again("bram")
    return statuses(answers)


def a_name_is_given_to_several_municipalities(place: Place, count: int) -> Counter[int]:
    """New ones, and one that is there: one gets the name, the others are told that it is taken."""
    here, name = "/installatie/gemeenten", f"Naam {uuid.uuid4().hex[:6]}"
    new = {"gemeente": name, "naam": "Nel Nieuw"}
    sent = [
        place.form("otto", f"{here}/toevoegen", **new, **{"e-mail": f"nel{n}@{name[5:]}.example"})
        for n in range(count - 1)
    ]
    there = f"{here}/{place.world.municipalities['Veldermeer']}"
    answers = place.at_once([*sent, place.form("otto", there, f"{there}/naam", gemeente=name)])
    found = statuses(answers)
    expect(found[200] + found[303], 1)
    expect(found[422], count - 1)
    expect(place.browser("otto").get("/installatie").text.count(f">{name}</a>"), 1)
    return found


RACES: tuple[Race, ...] = (
    many_managers_approve,
    approve_against_send_back,
    approve_against_the_team,
    same_form_many_times,
    same_save_many_times,
    two_people_save_one_answer,
    a_stage_begins,
    a_round_begins,
    first_evidence_of_two,
    administrators_disable_each_other,
    a_local_plan_is_released,
    a_link_is_used,
    a_name_is_given_to_several_municipalities,
)
