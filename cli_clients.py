"""The commands `certlib client` and `certlib grant`: parse, call one use case, print, exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from certlib import operating_clients as operating
from certlib.manual import examples
from cli_options import HOME, Home, Json, in_file, tell

client_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Systems of agencies that ask the library: OAuth 2 clients."
)
grant_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What a requesting agency may ask, and on which legal basis."
)

Operator = Annotated[str, typer.Option(help="Who does this: a person, for the audit.")]
Agency = Annotated[str, typer.Option("--agency", metavar="CODE", help="Code of the agency.")]
ClientId = Annotated[str, typer.Argument(metavar="CLIENT", help="Id, see: certlib client list.")]
GrantId = Annotated[str, typer.Argument(metavar="GRANT", help="Id, see: certlib grant list.")]
Key = Annotated[Path | None, in_file(help="The system's public key: PEM or JWK, P-256.")]
NewKey = Annotated[
    Path | None, typer.Option(dir_okay=False, help="Make a key for it; its private half goes into this new file.")
]
Scopes = Annotated[str, typer.Option(help="Some of: issue manage verify share audit holder.")]
Networks = Annotated[str, typer.Option(help="From where it may call: CIDR, separated by commas.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit.")]

TypeCode = Annotated[str, typer.Option("--type", metavar="TYPE", help="Code of the type, see: certlib type list.")]
Fields = Annotated[str, typer.Option(help="Names of the values, separated by commas; a wrong one is named.")]
Interfaces = Annotated[str, typer.Option(help="Some of: check,question,list,data,file,feed.")]
Matters = Annotated[str, typer.Option(help="Codes of the matters that may be named, separated by commas.")]
Basis = Annotated[str, typer.Option(help="statutory or consent.")]
Clause = Annotated[str, typer.Option(help="The law, article and paragraph; needed for statutory.")]
DailyCap = Annotated[int, typer.Option(help="Licences or rows asked about in a day (UTC).")]
From = Annotated[str, typer.Option("--from", help="First day or moment; now if not given.")]
Until = Annotated[str, typer.Option("--until", help="Day or moment at which it ends; 'none' for no end.")]


@client_app.command("add", epilog=examples("client add"))
def client_add(
    agency: Agency,
    name: Annotated[str, typer.Option(help="What the system is called.")],
    operator: Operator,
    scopes: Scopes = "verify share",
    networks: Networks = "",
    key: Key = None,
    new_key: NewKey = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Take in a system of an agency. Without a key it gets a secret, which is shown once."""
    _one_key(key, new_key)
    report = operating.add_client(
        home, agency, name=name, scopes=_words(scopes), networks=_words(networks), key=key, new_key=new_key,
        operator=operator,
    )  # fmt: skip
    tell(report, as_json)


@client_app.command("list", epilog=examples("client list"))
def client_list(agency: Agency = "", home: Home = HOME, as_json: Json = False) -> None:
    """List the clients, disabled ones too."""
    tell(operating.list_clients(home, agency_code=agency), as_json)


@client_app.command("rotate", epilog=examples("client rotate"))
def client_rotate(
    client: ClientId,
    operator: Operator,
    key: Key = None,
    new_key: NewKey = None,
    overlap_days: Annotated[int, typer.Option(min=0, max=90, help="Until the old one ends; 0: at once.")] = 7,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Give a client another key, or another secret if it has one. Both are good until the old one ends."""
    _one_key(key, new_key)
    report = operating.rotate_client(
        home, client, key=key, new_key=new_key, overlap_days=overlap_days, operator=operator
    )
    tell(report, as_json)


@client_app.command("disable", epilog=examples("client disable"))
def client_disable(
    client: ClientId, operator: Operator, reason: Reason, home: Home = HOME, as_json: Json = False
) -> None:
    """Disable a client for good. What it was given opens nothing any more."""
    tell(operating.disable_client(home, client, reason=reason, operator=operator), as_json)


@grant_app.command("add", epilog=examples("grant add"))
def grant_add(
    agency: Agency,
    type_code: TypeCode,
    interfaces: Interfaces,
    matters: Matters,
    basis: Basis,
    operator: Operator,
    fields: Fields = "",
    clause: Clause = "",
    daily_cap: DailyCap = 1000,
    networks: Networks = "",
    valid_from: From = "",
    valid_until: Until = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Grant an agency what it may ask about licences of one type."""
    parts = {
        "agency_code": agency, "type_code": type_code, "fields": _words(fields), "interfaces": _words(interfaces),
        "matters": _words(matters), "basis": basis, "clause": clause, "daily_cap": daily_cap,
        "networks": _words(networks), "valid_from": valid_from, "valid_until": valid_until,
    }  # fmt: skip
    tell(operating.add_grant(home, parts, operator=operator), as_json)


@grant_app.command("list", epilog=examples("grant list"))
def grant_list(
    agency: Agency = "",
    type_code: TypeCode = "",
    ended: Annotated[bool, typer.Option("--ended", help="Those that are over, too.")] = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """List the grants, with what is used of each today."""
    tell(operating.list_grants(home, agency_code=agency, type_code=type_code, ended=ended), as_json)


@grant_app.command("change", epilog=examples("grant change"))
def grant_change(
    grant: GrantId,
    operator: Operator,
    interfaces: Annotated[str | None, typer.Option(help="Instead of those it has; as in grant add.")] = None,
    matters: Annotated[str | None, typer.Option(help="The same.")] = None,
    fields: Annotated[str | None, typer.Option(help="The same.")] = None,
    basis: Annotated[str | None, typer.Option(help="statutory or consent.")] = None,
    clause: Annotated[str | None, typer.Option(help="The law, article and paragraph.")] = None,
    daily_cap: Annotated[int | None, typer.Option(help="Licences or rows in a day.")] = None,
    networks: Annotated[str | None, typer.Option(help="CIDR, separated by commas; '' is any network.")] = None,
    valid_until: Annotated[str | None, typer.Option("--until", help="Day or moment; 'none' for no end.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Change a grant: it ends, and another one takes its place. What is not given stays."""
    lists = {"interfaces": interfaces, "matters": matters, "fields": fields, "networks": networks}
    parts: dict[str, Any] = {name: _words(text) for name, text in lists.items() if text is not None}
    others = {"basis": basis, "clause": clause, "daily_cap": daily_cap, "valid_until": valid_until}
    parts |= {name: value for name, value in others.items() if value is not None}
    tell(operating.change_grant(home, grant, parts, operator=operator), as_json)


@grant_app.command("end", epilog=examples("grant end"))
def grant_end(grant: GrantId, operator: Operator, reason: Reason, home: Home = HOME, as_json: Json = False) -> None:
    """End a grant now."""
    tell(operating.end_grant(home, grant, reason=reason, operator=operator), as_json)


def _words(text: str) -> tuple[str, ...]:
    """What commas or spaces separate."""
    return tuple(text.replace(",", " ").split())


def _one_key(key: Path | None, new_key: Path | None) -> None:
    if key is not None and new_key is not None:
        raise typer.BadParameter("--key and --new-key are two ways: give the system's own key, or have one made")
