"""What the same frameworks cost at the least on this machine: an application with nothing in it but one table, one
template and two routes. Its database has the same durability, on the same disk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import FastAPI, Form
from jinja2 import DictLoader, Environment
from sqlalchemy import JSON, Engine
from sqlalchemy.orm import registry
from sqlmodel import Field, Session, SQLModel, select
from starlette.responses import HTMLResponse, RedirectResponse

ROWS = 60


class Base(SQLModel, registry=registry()):
    """Apart from the application's tables: migrations must not see these."""


class Line(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    page: str = Field(index=True)
    number: int
    title: str
    status: str
    text: str
    by: str
    changed_on: date
    revision: int = 0


class Happened(Base, table=True):
    id: int | None = Field(default=None, primary_key=True)
    line_id: int = Field(foreign_key="line.id")
    sequence: int
    kind: str
    data: Any = Field(sa_type=JSON)
    at: datetime


PAGE = """<!doctype html>
<html lang="nl"><head><meta charset="utf-8"><title>{{ page }}</title><link rel="stylesheet" href="/s.css"></head>
<body><h1>{{ page }}</h1><ol>
{% for line in lines %}
<li id="regel-{{ line.number }}" class="regel regel--{{ line.status }}">
<h2><a href="/regels/{{ line.id }}">{{ line.title }}</a></h2>
<p>{{ line.by }}, <time datetime="{{ line.changed_on }}">{{ line.changed_on }}</time></p>
<p>{{ line.text }}</p>
</li>
{% endfor %}
</ol></body></html>
"""
SHORT = "kort"  # the page of sixty rows with no more text than their titles, the same beside every page
SENTENCE = "Een zin van gewone lengte, zoals die in een antwoord staat. "


def fill(engine: Engine, page_bytes: dict[str, int]) -> None:
    """Sixty rows for each page, with so much text that the page becomes about as large as the one beside it. Every row
    is seven values that the template puts in one by one, escaped; only its text is longer for a larger page."""
    Base.metadata.create_all(engine)
    template = _template()
    with Session(engine) as session:
        for page, wanted in {**page_bytes, SHORT: 0}.items():
            bare = len(template.render(page=page, lines=list(_lines(page, ""))).encode())
            each = max(0, wanted - bare) // ROWS
            session.add_all(_lines(page, (SENTENCE * (each // len(SENTENCE) + 1))[:each]))
        session.commit()


def _lines(page: str, text: str) -> Iterable[Line]:
    for number in range(ROWS):
        yield Line(
            page=page,
            number=number,
            title=f"Onderwerp {number} van het beleid",
            status=("open", "bezig", "klaar")[number % 3],
            text=text,
            by="Anna de Vries",
            changed_on=date(2026, 1, 1) + timedelta(days=number),
        )


def _template() -> Any:
    return Environment(loader=DictLoader({"page.html": PAGE}), autoescape=True).get_template("page.html")


def create_ceilings(engine: Engine) -> FastAPI:
    app = FastAPI(openapi_url=None)
    template = _template()

    @app.get("/paginas/{page}")
    def read(page: str) -> HTMLResponse:
        with Session(engine) as session:
            lines = session.exec(select(Line).where(Line.page == page).order_by(Line.number)).all()  # type: ignore[arg-type]  # SQLModel types columns as their values
            return HTMLResponse(template.render(page=page, lines=lines))

    @app.post("/regels/{id}")
    def write(id: int, tekst: Annotated[str, Form()]) -> RedirectResponse:
        with Session(engine) as session:
            line = session.get_one(Line, id)
            line.text = tekst
            line.revision += 1
            session.add(line)
            session.add(
                Happened(
                    line_id=id,
                    sequence=line.revision,
                    kind="LineChanged",
                    data={"text": "a" * 64},
                    at=datetime.now(UTC),
                )
            )
            session.commit()
        return RedirectResponse(f"/regels/{id}", status_code=303)

    return app
