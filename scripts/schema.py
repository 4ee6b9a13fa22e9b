"""Write migrations from the difference between the tables and the migrations so far.

python -m scripts.schema rebuild            before the first release: write 0001 anew
python -m scripts.schema revision MESSAGE   after it: add the next one, to be read and completed by hand
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from app.resources import migrations_dir
from app.storage.database import create_engine_for
from app.storage.upgrade import migrating, upgrade

VERSIONS = migrations_dir() / "versions"
RUFF = Path(sys.executable).with_name("ruff")


def rebuild() -> Path:
    with tempfile.TemporaryDirectory() as folder:
        # A copy without versions, since those after 0001 refer to the one that is being written.
        copy = Path(folder) / "migrations"
        shutil.copytree(migrations_dir(), copy, ignore=shutil.ignore_patterns("versions", "__pycache__"))
        (copy / "versions").mkdir()
        written = _autogenerate(copy, Path(folder), "0001", "All tables of the first release")
        for old in VERSIONS.glob("0001_*.py"):
            old.unlink()
        return Path(shutil.move(written, VERSIONS / "0001_tables.py"))


def revision(message: str) -> Path:
    number = 1 + max(int(path.name[:4]) for path in VERSIONS.glob("[0-9]*.py"))
    with tempfile.TemporaryDirectory() as folder:
        return _autogenerate(migrations_dir(), Path(folder), f"{number:04}", message)


def _autogenerate(location: Path, scratch: Path, number: str, message: str) -> Path:
    engine = create_engine_for(f"sqlite:///{scratch / 'scratch.sqlite3'}")
    if location == migrations_dir():
        upgrade(engine)
    config = Config()
    config.set_main_option("script_location", str(location))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    with migrating(engine) as connection:
        config.attributes["connection"] = connection
        script = command.revision(config, message, autogenerate=True, rev_id=number)
    engine.dispose()
    assert script is not None
    assert not isinstance(script, list)
    return Path(script.path)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["rebuild"]:
            written = rebuild()
        case ["revision", message] if message.strip():
            written = revision(message)
        case _:
            raise SystemExit(__doc__)
    subprocess.run([RUFF, "check", "--quiet", "--fix", written], check=True)
    subprocess.run([RUFF, "format", "--quiet", written], check=True)
    text = written.read_text(encoding="utf-8")
    written.write_text(re.sub(r"\n\s*# ### .* ###\n", "\n", text), encoding="utf-8")
    print(f"Wrote {written}; read it before you commit it.")


if __name__ == "__main__":
    main(sys.argv[1:])
