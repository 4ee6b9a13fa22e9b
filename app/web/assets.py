"""Style sheets, scripts and fonts, from our own origin, with the hash of their content in the name.

Everything is read, joined and compressed once at start-up, so a missing file is noticed then.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app.resources import templates_dir
from app.web.slim_css import slim, slim_tokens, used_names

PREFIX: Final = "/static/"
ONE_YEAR_SECONDS: Final = 31_536_000
COMPRESSIBLE: Final = {".css", ".js", ".svg"}
NOT_SERVED: Final = {".ttf", ".json"}  # for the PDF, and the list of packages

# One request instead of forty; the order is the cascade.
BUNDLES: Final[Mapping[str, tuple[str, ...]]] = {
    "css/site.css": (
        "vendor/voorbeeld/theme.css",
        "vendor/utrecht/index.css",
        "css/theme.css",
        "css/base.css",
        "css/layout.css",
        "css/components.css",
        "css/forms.css",
        "css/runs.css",
        "css/reports.css",
        "css/approvals.css",
        "css/steps.css",
        "css/evidence.css",
        "css/plans.css",
        "css/versions.css",
        "css/local_plans.css",
        "css/accounts.css",
        "css/print.css",
    ),
}
COMPONENTS: Final = "vendor/utrecht/index.css"  # of which we keep the rules that our templates use
TOKENS: Final = "vendor/voorbeeld/theme.css"  # of which we keep the properties that the other sheets use
REQUIRED: Final = ("vendor/htmx/htmx.min.js", "js/app.js")

# mimetypes knows these only where the system happens to have a table of types.
TYPES: Final = {
    ".md": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}

_URL = re.compile(r"""url\(\s*(?P<quote>["']?)(?P<path>[^"')]+)(?P=quote)\s*\)""")


class AssetMissing(Exception):
    """A file that the pages need is not there; the message says which one and what to do."""


@dataclass(frozen=True, slots=True)
class StoredAsset:
    url: str
    body: bytes
    compressed: bytes | None
    media_type: str


class Assets:
    """The files below `folder`, ready to send. `url()` is for templates, the object itself is an ASGI app.

    `theme` is a municipality's own folder, with theme.css in it. `templates` are where classes are used.
    """

    def __init__(self, folder: Path, *, theme: Path | None = None, templates: Sequence[Path] | None = None) -> None:
        self._templates: Final = [templates_dir()] if templates is None else templates
        self._files: Final[dict[str, Path]] = dict(_files(folder))
        if theme:
            self._files.update((f"theme/{name}", path) for name, path in _files(theme))
        self._folder: Final = folder
        self._by_name: Final[dict[str, StoredAsset]] = {}
        for name in [*self._files, *BUNDLES, *REQUIRED]:
            self._store(name)
        self._by_url: Final = {stored.url: stored for stored in self._by_name.values()}

    def url(self, name: str) -> str:
        try:
            return self._by_name[name].url
        except KeyError:
            raise AssetMissing(self._missing(name)) from None

    def _store(self, name: str) -> StoredAsset:
        if stored := self._by_name.get(name):
            return stored
        suffix = posixpath.splitext(name)[1]
        body = self._bundle(BUNDLES[name]) if name in BUNDLES else self._read(name)
        digest = hashlib.sha256(body).hexdigest()[:12]
        stored = StoredAsset(
            url=f"{PREFIX}{name.removesuffix(suffix)}.{digest}{suffix}",
            body=body,
            compressed=gzip.compress(body, 9, mtime=0) if suffix in COMPRESSIBLE else None,
            media_type=TYPES.get(suffix) or mimetypes.types_map.get(suffix, "text/plain; charset=utf-8"),
        )
        self._by_name[name] = stored
        return stored

    def _bundle(self, names: tuple[str, ...]) -> bytes:
        sheets = {name: self._read(name).decode() for name in names}
        scripts = [path for name, path in self._files.items() if name.startswith("js/")]
        templates = [path for folder in self._templates for path in folder.rglob("*.html")]
        sheets[COMPONENTS] = slim(sheets[COMPONENTS], used_names([*templates, *scripts]))
        mounted = [
            self._read(name).decode() for name in self._files if name.startswith("theme/") and name.endswith(".css")
        ]
        sheets[TOKENS] = slim_tokens(
            sheets[TOKENS], [*(css for name, css in sheets.items() if name != TOKENS), *mounted]
        )
        return "\n".join(sheets.values()).encode()

    def _read(self, name: str) -> bytes:
        try:
            content = self._files[name].read_bytes()
        except KeyError:
            raise AssetMissing(self._missing(name)) from None
        if not name.endswith(".css"):
            return content

        def hashed(found: re.Match[str]) -> str:
            path = found["path"]
            if path.startswith(("data:", "#")):
                return found[0]
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            return f'url("{self._store(target).url}")'

        return _URL.sub(hashed, content.decode()).encode()

    def _missing(self, name: str) -> str:
        remedy = "run `make setup`" if name.startswith("vendor/") else "reinstall Stappenplan"
        return f"{self._folder / name} is missing: {remedy}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(Request(scope))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        stored = self._by_url.get(request.url.path)
        if stored is None:
            return PlainTextResponse("Niet gevonden", 404)
        headers = {"Cache-Control": f"public, max-age={ONE_YEAR_SECONDS}, immutable"}
        if stored.compressed is None:
            return Response(stored.body, headers=headers, media_type=stored.media_type)
        headers["Vary"] = "Accept-Encoding"
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(stored.body, headers=headers, media_type=stored.media_type)
        headers["Content-Encoding"] = "gzip"
        return Response(stored.compressed, headers=headers, media_type=stored.media_type)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.suffix not in NOT_SERVED:
            yield path.relative_to(folder).as_posix(), path
