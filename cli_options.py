"""What the command files share: options, printing, exit codes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from certlib.errors import CertlibError, OwnFaultError, SetupError, UnavailableError

if TYPE_CHECKING:
    from certlib.operating import Report

DONE, REFUSED, USAGE, OUR_FAULT, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(kw_only=True, slots=True)
class Run:
    """What the edge has to know when a run goes wrong."""

    home: Path | None = None
    """Where a fault of ours is put down."""


def _remember_home(context: typer.Context, home: Path) -> Path:
    if isinstance(context.obj, Run):
        context.obj.home = home
    return home


in_file = partial(typer.Option, exists=True, dir_okay=False)
out_folder = partial(typer.Option, file_okay=False)
home_option = partial(out_folder, "--home", envvar="CERTLIB_HOME", callback=_remember_home)
HOME = Path("library")
Home = Annotated[Path, home_option(help="Folder of the library.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs, errors too.")]


def print_json(value: object) -> None:
    """A result for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def tell(report: Report, as_json: bool) -> None:
    """Print a report and end with its exit code."""
    if as_json:
        print_json(report.data)
    elif report.text:
        typer.echo(report.text)
    raise typer.Exit(code_of(report))


def code_of(report: Report) -> int:
    """The exit code of a report."""
    if report.error is not None:
        return exit_code(report.error)
    return INTERRUPTED if report.interrupted else DONE if report.good else REFUSED


def exit_code(error: CertlibError) -> int:
    """The exit code of an error: whose turn it is."""
    if isinstance(error, OwnFaultError | UnavailableError):
        return OUR_FAULT
    return USAGE if isinstance(error, SetupError) else REFUSED
