"""What the commands of clients and grants do. As `operating`: each opens the library, calls one use case, reports."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from certlib.errors import FieldFault, InvalidRequestError
from certlib.operating import Report, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from certlib.model import Agency


def upgrade(home: Path, *, operator: str) -> Report:
    """Bring an older library to this program."""
    from certlib.config import read_settings
    from certlib.upgrading import upgrade_library

    done = upgrade_library(read_settings(home), operator=operator)
    lines = [f"The library at {home.absolute()} fits this program."]
    if done.before != done.after:
        lines.append(f"  tables  {done.before} -> {done.after}")
    if done.keys:
        lines.append(f"  keys    {', '.join(done.keys)} made; verifiers know them from the next trust pack on")
    if done.types:
        lines.append(f"  types   {', '.join(done.types)} taken in")
    lines += [f"  left    {each}" for each in done.left]
    data = {
        "before": done.before, "after": done.after, "keys": list(done.keys), "types": list(done.types),
        "left": list(done.left),
    }  # fmt: skip
    return Report(data=data, text="\n".join(lines))


def add_asking_agency(home: Path, agency: Agency, *, operator: str) -> Report:
    """Take in an agency that only asks."""
    from certlib import clients, reporting

    with opened(home) as lib:
        clients.add_asking_agency(lib, agency, operator=operator)
        (row,) = (each for each in reporting.agencies_report(lib) if each["code"] == agency.code)
    text = f"{agency.code} {agency.name} can ask. Next: certlib client add --agency {agency.code} --name NAME"
    return Report(data=row, text=text)


def print_bearer(home: Path, agency_code: str, *, ttl_seconds: int, scopes: Sequence[str], operator: str) -> Report:
    """An access token for an agency's system that is no client."""
    from certlib import authorising

    with opened(home) as lib:
        text = authorising.printed_bearer(
            lib, agency_code, ttl_seconds=ttl_seconds, scopes=tuple(scopes) or ("issue", "manage"), operator=operator
        )
    return Report(data={"bearer": text, "expires_in": ttl_seconds}, text=text)


def add_client(  # noqa: PLR0913  # what a client is
    home: Path,
    agency_code: str,
    *,
    name: str,
    scopes: Sequence[str],
    networks: Sequence[str],
    key: Path | None,
    new_key: Path | None,
    operator: str,
) -> Report:
    """Take in a client with its public key, with a key made for it, or with a secret."""
    from certlib import clients

    with opened(home) as lib, _public_key(key, new_key) as public_key:
        client, secret = clients.add_client(
            lib, agency_code, name=name, scopes=scopes, networks=networks, public_key=public_key,
            operator=operator,
        )  # fmt: skip
        data = clients.client_json(lib, client)
    return _proved(data, secret, new_key, f"{agency_code} has the client {client.id} ({name})")


def rotate_client(  # noqa: PLR0913  # the options of the command
    home: Path, client_id: str, *, key: Path | None, new_key: Path | None, overlap_days: int, operator: str
) -> Report:
    """Give a client another key or secret."""
    from certlib import clients

    with opened(home) as lib, _public_key(key, new_key) as public_key:
        client, secret = clients.rotate_client(
            lib, client_id, public_key=public_key, overlap_days=overlap_days, operator=operator
        )
        data = clients.client_json(lib, client)
    old = f"the one before ends after {overlap_days} days" if overlap_days else "the one before is withdrawn"
    return _proved(data, secret, new_key, f"{client.id} proves itself anew; {old}")


def disable_client(home: Path, client_id: str, *, reason: str, operator: str) -> Report:
    """Disable a client."""
    from certlib import clients

    with opened(home) as lib:
        client = clients.disable_client(lib, client_id, reason=reason, operator=operator)
        data = clients.client_json(lib, client)
    return Report(data=data, text=f"{client.id} is disabled; its access tokens are refused from now on")


def list_clients(home: Path, *, agency_code: str) -> Report:
    """The clients."""
    from certlib import clients

    with opened(home) as lib:
        rows = [clients.client_json(lib, each) for each in clients.list_clients(lib, agency_code)]
    lines: list[str] = []
    for each in rows:
        good = [] if each["disabled_at"] else [proof for proof in each["proofs"] if proof["usable"]]
        lines += [_client_line(each), *(f"  {_proof_line(proof)}" for proof in good)]
    return Report(data=rows, text="\n".join(lines) or "There is no client yet: certlib client add")


@contextmanager
def _public_key(key: Path | None, new_key: Path | None) -> Iterator[bytes | None]:
    """The public key in a file, or of a pair that is made and written to `new_key`, which stays if all goes well."""
    if new_key is None:
        yield None if key is None else key.read_bytes()
        return
    from certlib.clients import new_key_pair
    from certlib.keyring import write_new_file

    private_pem, public_pem = new_key_pair()
    write_new_file(new_key, private_pem)
    try:
        yield public_pem
    except BaseException:
        new_key.unlink()
        raise


def _proved(data: dict[str, Any], secret: str, new_key: Path | None, text: str) -> Report:
    lines = [text]
    if secret:
        data = data | {"client_secret": secret}
        lines += [f"  client_secret  {secret}", "  Put it away now: it is kept nowhere and shown once."]
    elif new_key is not None:
        data = data | {"private_key_file": str(new_key)}
        lines.append(f"  private key    {new_key}: only that system may read it")
    usable = [each for each in data["proofs"] if each["usable"]]
    lines += [f"  {_proof_line(each)}" for each in usable]
    return Report(data=data, text="\n".join(lines))


def _client_line(row: dict[str, Any]) -> str:
    state = f"disabled {row['disabled_at'][:10]} by {row['disabled_by']}" if row["disabled_at"] else row["method"]
    return f"{row['client_id']}  {row['agency']}  {row['name']}  {' '.join(row['scopes'])}  {state}"


def _proof_line(proof: dict[str, Any]) -> str:
    kind = "kid" if "kid" in proof else "secret"
    return f"{kind:<14} {proof[kind]} until {proof['not_after'][:10]}"


def add_grant(home: Path, parts: dict[str, Any], *, operator: str) -> Report:
    """Grant an agency what it may ask. `parts` are those of `permitting.GrantOrder`, as a command line says them."""
    from certlib import permitting

    with opened(home) as lib:
        grant = permitting.add_grant(lib, permitting.GrantOrder(**_with_moments(parts)), operator=operator)
        data = permitting.grant_json(lib, grant)
    return Report(data=data, text=_grant_text(data))


def change_grant(home: Path, grant_id: str, parts: dict[str, Any], *, operator: str) -> Report:
    """Put another grant in the place of one."""
    from certlib import permitting

    with opened(home) as lib:
        grant = permitting.change_grant(lib, grant_id, operator=operator, **_with_moments(parts))
        data = permitting.grant_json(lib, grant)
    return Report(data=data, text=f"{grant_id} has ended; in its place:\n{_grant_text(data)}")


def end_grant(home: Path, grant_id: str, *, reason: str, operator: str) -> Report:
    """End a grant."""
    from certlib import permitting

    with opened(home) as lib:
        data = permitting.grant_json(lib, permitting.end_grant(lib, grant_id, reason=reason, operator=operator))
    return Report(data=data, text=f"{grant_id} has ended")


def list_grants(home: Path, *, agency_code: str, type_code: str, ended: bool) -> Report:
    """The grants."""
    from certlib import permitting

    with opened(home) as lib:
        found = permitting.list_grants(lib, agency_code=agency_code, type_code=type_code, ended=ended)
        rows = [permitting.grant_json(lib, each) for each in found]
    text = "\n".join(_grant_text(each) for each in rows)
    return Report(data=rows, text=text or "There is no grant: certlib grant add")


def _with_moments(parts: dict[str, Any]) -> dict[str, Any]:
    moments = {"valid_from": "from", "valid_until": "until"}
    return parts | {name: _moment(moments[name], parts[name]) for name in moments if name in parts}


def _moment(name: str, text: str) -> datetime | None:
    """A moment with its offset from UTC, or a day, which is its first moment in UTC; `none` is no end."""
    if text in {"", "none"}:
        return None
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        reason = "is no day or moment like 2026-11-22 or 2026-11-22T08:00:00+08:00"
        raise InvalidRequestError((FieldFault(field=name, code="bad_date", reason=reason),)) from error


def _grant_text(row: dict[str, Any]) -> str:
    until = row["valid_until"][:10] if row["valid_until"] else "ended"
    basis = f"{row['basis']}, {row['clause']}" if row["clause"] else row["basis"]
    lines = [
        f"{row['id']}  {row['agency']} on {row['type']}: {', '.join(row['interfaces'])}",
        f"  fields    {', '.join(row['fields']) or 'none'}",
        f"  matters   {', '.join(row['matters'])}",
        f"  basis     {basis}",
        f"  a day     {row['used_today']} of {row['daily_cap']} used today",
        f"  networks  {', '.join(row['networks']) or 'any'}",
        f"  from      {row['valid_from'][:10]} until {until}, granted by {row['granted_by']}",
    ]
    if row["ended_at"]:
        lines.append(f"  ended     {row['ended_at'][:16]} by {row['ended_by']}: {row['end_reason']}")
    return "\n".join(lines)
