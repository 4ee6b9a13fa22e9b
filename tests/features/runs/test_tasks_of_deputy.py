"""What the overview says that waits for somebody who stands in, the page to which it leads lets that person do."""

from __future__ import annotations

import uuid
from copy import deepcopy
from dataclasses import replace

import pytest

from app.catalogue.loader import LoadedPlan, from_document
from app.policy import Role
from app.storage import people
from app.storage.database import Database
from app.storage.tables import Membership
from tests.features.approvals.test_conditions import address_of, on_conditions
from tests.features.approvals.test_points_by_deputy import report
from tests.features.approvals.test_who_decides import a_new_session, mandate
from tests.features.client import Browser, World, a_world, small_plan
from tests.features.runs.test_manager_and_mandate import change
from tests.features.steps.pages import text_of
from tests.features.steps.room import Room, a_room

QUERIES_MAX = 8
TOMORROW = "24-11-2026"


def a_ready_room(database: Database, *, plan: LoadedPlan | None = None) -> Room:
    """All of the work on a stage was done by Anna, on a run of Dirk."""
    room = a_room(database) if plan is None else a_room_with(database, plan)
    room.complete_everything()
    make_manager(room, "anna", "dirk")
    return room


def a_room_with(database: Database, plan: LoadedPlan) -> Room:
    world = a_world(database, plan=plan)
    room = Room(world, world.a_run(world.browser("anna")))
    world.browser("anna").post(f"{room.stage}/starten", {})
    return room


def make_manager(room: Room, by: str, manager: str) -> None:
    assert change(room.world, by, room.run, leidinggevende=room.world.users[manager]) == ""


def tomorrow(room: Room, login: str = "bram") -> Browser:
    room.world.clock.advance(days=1)
    return a_new_session(room.world, login)


def agree(browser: Browser, room: Room, address: str) -> bool:
    """Whether the page has a form to decide with, and whether the overview leads there: always both or neither."""
    page = browser.get(address)
    assert page.status_code == 200, page.text
    offers = f'action="{room.stage}/beoordelen"' in page.text or f'action="{address}/afsluiten"' in page.text
    is_task = f'href="{address}"' in browser.get("/").text
    assert is_task == offers, text_of(page.text)
    return is_task


def approving(browser: Browser, room: Room) -> bool:
    return agree(browser, room, f"{room.stage}/beoordelen")


def test_deputy_who_chose_the_manager_before_the_mandate_began_is_led_to_no_refusal(database: Database):
    room = a_ready_room(database)
    assert mandate(room.world, van=TOMORROW).status_code == 303
    make_manager(room, "bram", "carla")
    room.ask_approval()

    assert not approving(tomorrow(room), room)


def test_nor_is_who_did_so_with_a_second_account(database: Database):
    room = a_ready_room(database)
    assert mandate(room.world, van=TOMORROW).status_code == 303
    make_manager(room, "dirk", "carla")
    room.ask_approval()
    dirk, bram = uuid.UUID(room.world.users["dirk"]), uuid.UUID(room.world.users["bram"])
    with room.world.database.write() as session:
        people.connect(session, dirk, bram, municipality_id=None, by=None, at=room.world.clock())

    assert not approving(tomorrow(room), room)


def test_deputy_of_a_manager_whom_a_colleague_chose_decides(database: Database):
    room = a_ready_room(database)
    assert mandate(room.world, van=TOMORROW).status_code == 303
    make_manager(room, "anna", "carla")
    room.ask_approval()

    bram = tomorrow(room)
    assert approving(bram, room)
    assert "Wacht op u namens Carla Smit" in text_of(bram.get("/").text)


def test_one_run_that_the_deputy_gave_the_manager_hides_no_other(database: Database):
    room = a_ready_room(database)
    assert mandate(room.world, van=TOMORROW).status_code == 303
    make_manager(room, "bram", "carla")
    room.ask_approval()
    other = Room(room.world, room.world.a_run(room.browser("anna"), name="Werk"))
    room.browser("anna").post(f"{other.stage}/starten", {})
    other.complete_everything()
    other.ask_approval()

    bram = tomorrow(room)
    assert not approving(bram, room)
    assert approving(bram, other)


def test_deputy_with_the_role_decides_in_the_own_name_on_what_the_mandate_does_not_give(database: Database):
    room = a_ready_room(database)
    assert mandate(room.world, van=TOMORROW, vervanger=room.world.users["dirk"]).status_code == 303
    make_manager(room, "dirk", "carla")
    room.ask_approval()

    dirk = tomorrow(room, "dirk")
    assert approving(dirk, room)
    assert "Wacht op u namens" not in text_of(dirk.get("/").text)


@pytest.mark.parametrize("who", ["carla", "bram"])
def test_mandate_gives_nothing_when_either_lost_the_role(database: Database, who: str):
    """Bram is an adviser of the run instead of an officer then, and may decide on some runs as that."""
    room = a_ready_room(database)
    make_manager(room, "anna", "carla")
    room.ask_approval()
    assert mandate(room.world).status_code == 303
    bram = room.browser("bram")
    assert approving(bram, room)

    roles = {"carla": "policy_officer", "bram": "adviser"}[who]
    changed = room.browser("ferry").post(f"/beheer/gebruikers/{room.world.users[who]}/rollen", {"rollen": [roles]})
    assert changed.status_code == 200, changed.text
    if who == "bram":
        team = [room.world.users["anna"]]
        assert change(room.world, "anna", room.run, team=team) == ""
        shared = room.browser("anna").post(
            f"/trajecten/{room.run}/advies/delen", {"adviseur": room.world.users["bram"]}
        )
        assert shared.status_code == 200, shared.text

    assert not approving(bram, room)


def for_advisers() -> LoadedPlan:
    """The small plan, whose first stage is approved by advisers."""
    loaded = small_plan()
    document = deepcopy(loaded.document)
    document["stages"][0]["gate"] |= {"approvers": ["adviser"]}
    return replace(loaded, document=document, plan=from_document(document))


@pytest.mark.parametrize("is_shared", [False, True])
def test_mandate_of_a_manager_gives_nothing_where_an_adviser_is_asked(database: Database, is_shared: bool):
    """Unless that manager is an adviser too, with whom the run was shared."""
    room = a_ready_room(database, plan=for_advisers())
    world = room.world
    if is_shared:
        with world.database.write() as session:
            carla, here = uuid.UUID(world.users["carla"]), world.municipalities["Zonnedijk"]
            role = Membership(user_id=carla, municipality_id=here, role=Role.ADVISER, created_at=world.clock())
            session.add(role)
        assert (
            room.browser("anna")
            .post(f"/trajecten/{room.run}/advies/delen", {"adviseur": world.users["carla"]}, follow_redirects=False)
            .status_code
            == 303
        )
    make_manager(room, "anna", "carla")
    room.ask_approval()
    assert mandate(world).status_code == 303

    assert approving(room.browser("bram"), room) == is_shared


def test_reported_point_follows_the_same_rule(database: Database):
    """Carla's by then, whom Bram chose after the mandate was recorded."""
    room = a_room(database)
    room.complete_everything()
    room.ask_approval()
    assert on_conditions(room).status_code == 303
    report(room)
    make_manager(room, "anna", "dirk")
    assert mandate(room.world, van=TOMORROW).status_code == 303
    make_manager(room, "bram", "carla")

    assert not agree(tomorrow(room), room, address_of(room))


def everybody_at_once(world: World, login: str) -> None:
    """All roles that have tasks of their own."""
    user, here = uuid.UUID(world.users[login]), world.municipalities["Zonnedijk"]
    with world.database.write() as session:
        for role in (Role.MANAGER, Role.ADVISER, Role.ADMINISTRATOR):
            session.add(Membership(user_id=user, municipality_id=here, role=role, created_at=world.clock()))


def test_overview_of_a_deputy_with_all_roles_costs_at_most_eight_queries(database: Database):
    room = a_room(database)
    world, anna = room.world, room.browser("anna")
    for number in range(3):
        other = Room(world, world.a_run(anna, name=f"Traject {number}"))
        anna.post(f"{other.stage}/starten", {})
        other.complete_everything()
        other.ask_approval()
    assert mandate(world).status_code == 303
    everybody_at_once(world, "bram")

    bram = room.browser("bram")
    with world.counting_queries() as statements:
        page = bram.get("/").text
    assert text_of(page).count("Wacht op u namens Carla Smit") == 3
    assert len(statements) <= QUERIES_MAX, statements
