"""The commands `certlib ticket`: parse, call one use case, print, exit code."""

from __future__ import annotations

import typer

ticket_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Objections and corrections, with their deadlines."
)
