"""The commands `certlib holder`: parse, call one use case, print, exit code."""

from __future__ import annotations

import typer

holder_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What a holder may see and do.")
