"""The commands `certlib collect`: parse, call one use case, print, exit code."""

from __future__ import annotations

import typer

collect_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Catalogues of other libraries, collected and kept up."
)
