from fastapi import FastAPI
from starlette.testclient import TestClient

from app.web.room import Room


def a_house() -> TestClient:
    inner, outer, other = Room(), Room(), Room()
    inner.add_api_route("/trajecten/{run_id}/verslag", lambda run_id: f"report of {run_id}")
    outer.add_api_route("/trajecten/{run_id}", lambda run_id: f"run {run_id}")
    outer.add_api_route("/trajecten/{run_id}/naam", lambda run_id: "renamed", methods=["POST"])
    outer.include_router(inner)
    other.add_api_route("/trajecten/{id}/bestand/{path:path}", lambda id, path: path)
    app = FastAPI()
    app.include_router(outer)
    app.include_router(other)
    return TestClient(app)


def test_each_room_answers_its_own_addresses():
    client = a_house()
    assert client.get("/trajecten/7").json() == "run 7"
    assert client.get("/trajecten/7/verslag").json() == "report of 7"
    assert client.get("/trajecten/7/bestand/a/b.pdf").json() == "a/b.pdf"


def test_address_of_no_room_is_not_found():
    client = a_house()
    assert client.get("/trajecten/7/verslagen").status_code == 404
    assert client.get("/x/trajecten/7").status_code == 404


def test_address_of_a_room_with_another_method_is_not_allowed():
    assert a_house().get("/trajecten/7/naam").status_code == 405


def test_application_behind_a_path_of_the_proxy_finds_its_rooms():
    client = TestClient(a_house().app, root_path="/stappenplan")
    assert client.get("/stappenplan/trajecten/7").json() == "run 7"
