"""Step plans as their authors work on them: begin one, look at it, release it, retire it."""

from __future__ import annotations

import typer

from app.cli.plan import drafts, graph, releases, show

app = typer.Typer(help="Write, look at, release and retire step plans.", no_args_is_help=True)
app.command()(drafts.new)
app.command()(releases.release)
app.command()(releases.retire)
app.command()(show.show)
app.command()(graph.graph)
app.command()(show.schema)
