"""The commands `certlib client` and `certlib grant`: parse, call one use case, print, exit code."""

from __future__ import annotations

import typer

client_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Systems of agencies that ask the library: OAuth 2 clients."
)
grant_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What a requesting agency may ask, and on which legal basis."
)
