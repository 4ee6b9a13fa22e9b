"""The application in a process of its own. Says its port.

python -m tests.races.server DATABASE_URL DATABASE_OWNER_URL DATA_FOLDER
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import uvicorn

from app.main import create_app
from app.settings import Settings
from app.storage.database import Database, create_engine_for, create_owner_engine_for
from tests.features.accounts.building import MONDAY


def main() -> None:
    url, owner, folder = sys.argv[1:]
    database = Database(create_engine_for(url), create_owner_engine_for(owner) if owner else None)
    app = create_app(Settings(data_dir=Path(folder)), database, clock=lambda: MONDAY)
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main()
