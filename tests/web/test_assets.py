import re
from pathlib import Path

import pytest
from fastapi import APIRouter
from starlette.testclient import TestClient

from app.resources import static_dir, templates_dir
from app.web.assets import BUNDLES, AssetMissing, Assets
from tests.web.pages_app import a_visitor, an_app

ASSETS = Assets(static_dir())


@pytest.fixture(scope="module")
def visitor() -> TestClient:
    return a_visitor(an_app(APIRouter()))


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("css/site.css", "text/css; charset=utf-8"),
        ("js/app.js", "text/javascript; charset=utf-8"),
        ("vendor/htmx/htmx.min.js", "text/javascript; charset=utf-8"),
        ("vendor/fonts/noto-sans-latin-400-normal.woff2", "font/woff2"),
        ("img/icon.svg", "image/svg+xml"),
    ],
)
def test_files_are_served_for_a_year_under_a_name_with_their_hash(visitor: TestClient, name: str, media_type: str):
    url = ASSETS.url(name)
    answer = visitor.get(url)

    assert re.fullmatch(r"/static/[\w./-]+\.[0-9a-f]{12}\.\w+", url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_text_is_compressed_for_who_can_read_that(visitor: TestClient):
    url = ASSETS.url("css/site.css")
    packed, plain = visitor.get(url), visitor.get(url, headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < 40_000


def test_everything_that_the_style_sheet_loads_is_there_and_ours(visitor: TestClient):
    addresses = re.findall(r'url\("?([^")]+)', visitor.get(ASSETS.url("css/site.css")).text)
    files = [address for address in addresses if not address.startswith("data:")]

    assert len(files) == 2
    assert all(visitor.get(address).status_code == 200 for address in files)


@pytest.mark.parametrize("path", ["/static/css/site.css", "/static/../pyproject.toml", "/static/nope.js"])
def test_other_names_give_404_without_caching(visitor: TestClient, path: str):
    answer = visitor.get(path)

    assert answer.status_code == 404
    assert "max-age" not in answer.headers["cache-control"]


def test_missing_file_stops_start_up_and_says_what_to_do(tmp_path: Path):
    with pytest.raises(AssetMissing, match=r"vendor/voorbeeld/theme.css is missing: run `make setup`"):
        Assets(tmp_path)


def test_missing_font_of_a_style_sheet_stops_start_up(tmp_path: Path):
    for name in [*BUNDLES["css/site.css"], "vendor/htmx/htmx.min.js", "js/app.js"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "css/base.css").write_text('@font-face { src: url("../fonts/gone.woff2") }')

    with pytest.raises(AssetMissing, match=r"fonts/gone\.woff2"):
        Assets(tmp_path)


def test_changed_file_gets_another_name(tmp_path: Path):
    def url_with(content: str) -> str:
        folder = tmp_path / content
        folder.mkdir()
        (folder / "theme.css").write_text(content)
        return Assets(static_dir(), theme=folder).url("theme/theme.css")

    assert url_with("a") != url_with("b")


def test_files_that_templates_ask_for_exist():
    for path in templates_dir().rglob("*.html"):
        for name in re.findall(r"""asset\(["']([^"']+)["']\)""", path.read_text(encoding="utf-8")):
            if not name.startswith("theme/"):  # mounted by a municipality
                assert ASSETS.url(name), path
