"""A wheel, installed outside the checkout, holds everything and serves it."""

import os
import re
import socket
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
FIRST_START_TAKES = 60  # seconds at most, on a busy machine: it makes the demonstration data


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel in it, and what it needs borrowed from ours."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    [packages] = environment.glob("lib/python*/site-packages")
    # Only a path: the .pth file there that leads to the checkout is not read.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return environment / "bin"


def test_wheel_holds_what_lies_beside_the_code_and_the_licences(wheel: Path):
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "locale", "stepplans", "migrations"):
        beside = {path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert beside, f"{folder}/ is empty"
        missing = {f"app/_bundled/{path.relative_to(ROOT)}" for path in beside} - inside
        assert missing == set()
    static = {str(path.relative_to(ROOT)) for path in (ROOT / "app" / "static").rglob("*") if path.is_file()}
    assert static - inside == set()
    assert any(name.endswith("licenses/LICENSES/EUPL-1.2.txt") for name in inside)
    assert "app/py.typed" in inside
    assert "app/_bundled/stepplans/released.json" in inside  # without it nothing is released


def test_wheel_holds_no_tests_data_or_leftovers(wheel: Path):
    inside = zipfile.ZipFile(wheel).namelist()
    assert [name for name in inside if not name.startswith(("app/", "stappenplan-"))] == []
    assert [name for name in inside if "__pycache__" in name or name.endswith((".sqlite3", ".pyc"))] == []


def test_installed_code_is_the_wheel_s(installed: Path, tmp_path: Path):
    where = "import app, app.resources as r; print(app.__file__, r.templates_dir(), r.static_dir())"
    found = subprocess.run(
        [installed / "python", "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert str(ROOT) not in found.stdout
    assert all(Path(path).exists() for path in found.stdout.split())


@pytest.fixture(scope="module")
def address(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    log = folder / "log"
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder / "data"), "PORT": str(free_port())}
    with log.open("w") as output:
        process = subprocess.Popen(
            [installed / "stappenplan", "serve"], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield wait_until_ready(process, f"http://127.0.0.1:{environment['PORT']}", log)
    finally:
        process.terminate()
        process.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> str:
    give_up = time.monotonic() + FIRST_START_TAKES
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if httpx2.get(f"{address}/readyz").status_code == 200:
                return address
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"stappenplan serve did not get ready:\n{log.read_text()}")


def test_installed_wheel_serves_a_page_with_style_script_and_font(address: str):
    page = httpx2.get(address, follow_redirects=True)
    assert page.status_code == 200
    assert '<html lang="nl"' in page.text

    sheets = re.findall(r'<link[^>]+href="([^"]+\.css)"', page.text)
    scripts = re.findall(r'<script[^>]+src="([^"]+\.js)"', page.text)
    assert sheets
    assert scripts
    fonts = set()
    for path in [*sheets, *scripts]:
        part = httpx2.get(urljoin(address, path))
        assert part.status_code == 200, path
        if path in sheets:
            fonts |= {urljoin(str(part.url), font) for font in re.findall(r"url\([\"']?([^)\"']+\.woff2)", part.text)}
    assert fonts
    for font in fonts:
        assert httpx2.get(font).headers["content-type"] == "font/woff2"
