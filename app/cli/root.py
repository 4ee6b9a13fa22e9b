"""`stappenplan`: the command and its parts."""

from __future__ import annotations

import typer

from app.cli import (
    demo,
    erasures,
    files,
    history,
    moves,
    operators,
    plan,
    plan_diff,
    plan_impact,
    plans,
    runs,
    serve,
    sweeping,
    users,
)
from app.web.logs import configure_logs

app = typer.Typer(
    name="stappenplan",
    help="Stappenplan Inclusief Beleid for municipalities.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def before_each_command() -> None:
    configure_logs("stderr")


app.command()(serve.serve)
app.command()(demo.demo)
app.command()(plans.lint)
app.command(name="plans")(plans.list_plans)
app.command()(runs.report)
app.command()(runs.verify_history)
app.command()(history.verify)
app.command()(history.export_history)
app.command()(files.sweep_files)
app.command()(sweeping.sweep_accounts)
app.command()(plan_diff.diff)
app.command()(plan_impact.impact)
app.add_typer(erasures.app, name="erasures")
app.add_typer(history.app, name="heads")
app.add_typer(moves.app, name="moves")
app.add_typer(plan.app, name="plan")
app.add_typer(runs.app, name="runs")
app.add_typer(users.app, name="user")
app.add_typer(operators.app, name="operator")


def main() -> None:
    app()
