"""Random histories of tickets: whatever is tried in whatever order, the invariants of the whole hold."""

import random
from typing import Any

import pytest
from sqlalchemy import select

from certlib.changing import decide_change
from certlib.errors import CertlibError, OwnFaultError, SetupError, UnavailableError
from certlib.library import Library
from certlib.store import audits, tickets
from certlib.store.engine import reading
from certlib.store.looks import looks_of_holder
from certlib.store.lookups import licences_by_holder
from certlib.store.tables_tickets import TICKET, TICKET_CLAIM, TICKET_STEP
from certlib.store.ticketing import ACTS, CLOSED, Action, TicketItem, TicketKind, TicketState
from certlib.store.tickets import Wanted
from certlib.tickets.corrections import Correction, correct, settle_all
from certlib.tickets.following import step_by_agency, step_by_holder, sweep
from certlib.tickets.objections import answer, object_to
from certlib.tickets.reporting_errors import ErrorReport, report_own, report_wrong
from tests.support.changes import lay_down
from tests.support.clock import Clock
from tests.support.holders import MOTHER, licence_of, me_of
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.tickets import CLERK, look_at

FIELDS = ("category", "practice_scope", "holder_name")
STEPS = 45


def tickets_hold(library: Library, allowed: dict[str, list[str]]) -> None:
    """1. a ticket is closed if and only if its state is; 2. it holds its claims while it is open, and no two hold one;
    3. its steps and its audit records tell the same, in one order; 4. nothing leads out of a closed state;
    5. only one that waits for its raiser has no deadline; 6. what was answered stays as it was seen.
    """
    with reading(library.store) as conn:
        rows = {row["id"]: row for row in conn.execute(select(TICKET)).mappings()}
        claims = [row["ticket_id"] for row in conn.execute(select(TICKET_CLAIM)).mappings()]
        steps: dict[int, list[Any]] = {}
        for row in conn.execute(select(TICKET_STEP).order_by(TICKET_STEP.c.id)).mappings():
            steps.setdefault(row["ticket_id"], []).append(row)
    for number, row in rows.items():
        closed = TicketState(row["state"]) in CLOSED
        assert (row["closed_at"] is not None) == closed
        lasting = row["kind"] == "objection" and row["state"] == "answered"
        wanted = max(1, len(row["fields"].split())) if not closed or lasting else 0
        assert claims.count(number) == wanted
        audited = [each.act for each in audits.records_about(library.store, row["code"])]
        assert audited == [ACTS[each["action"]] for each in steps[number]]
        assert audited.count("ticket.escalated") == (row["escalated_at"] is not None)
        ends = [each["state"] for each in steps[number] if TicketState(each["state"]) in CLOSED]
        assert ends == ([row["state"]] if closed else [])
        assert (row["due_at"] is None) == (row["state"] == "returned") or closed
        seen = allowed.setdefault(row["code"], [])
        states = [each["state"] for each in steps[number]]
        assert states[: len(seen)] == seen
        seen[:] = states


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_histories(library: Library, clock: Clock, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # the same history each time
    licence = licence_of(library)
    if seed == 2:
        lay_down(library, 'maker_checker = ["correct"]\npending_days = 3', type_code=licence.type_code)
    look_at(library, licence)
    history: dict[str, list[str]] = {}
    done = 0

    def newest() -> str:
        return licences_by_holder(library.store, MOTHER[0])[-1].identifier

    def some(kind: TicketKind | None = None) -> str:
        found = tickets.tickets(library.store, Wanted(kind=kind))
        return chance.choice(found).code if found else "0" * 26

    def report() -> ErrorReport:
        names = chance.sample(FIELDS, chance.randint(1, 2))
        return ErrorReport(items=tuple(TicketItem(field=name, wrong="x", right="") for name in names))

    def approve() -> object:
        waiting = tickets.tickets(library.store, Wanted(state=TicketState.CORRECTING))
        change = chance.choice(waiting).change_id if waiting else "0" * 26
        return decide_change(library, MARKET_BUREAU.code, change, operator="Zhao", approve=chance.random() < 0.7)

    acts = (
        lambda: object_to(library, me_of(library), look_id=looks_of_holder(library.store, MOTHER[0])[0].id, reason="x"),
        lambda: look_at(library, licence),
        lambda: report_own(library, me_of(library), newest(), report()),
        lambda: report_wrong(library, CLERK, licence.identifier, report()),
        lambda: answer(library, CITY.code, some(), operator="L", justified=chance.random() < 0.5, text="x"),
        lambda: step_by_agency(library, chance.choice((CITY.code, MARKET_BUREAU.code)), some(),
                               chance.choice([*Action]), operator="W", text="x"),
        lambda: step_by_agency(library, MARKET_BUREAU.code, some(TicketKind.WRONG), chance.choice([*Action]),
                               operator="W", text="x"),
        lambda: step_by_holder(library, me_of(library), some(), chance.choice([*Action]), text="x"),
        lambda: correct(library, MARKET_BUREAU.code, some(TicketKind.WRONG),
                        Correction(operator="W", text="x", new={"fields": {"category": f"中医{done}"}})),
        approve,
        lambda: settle_all(library),
        lambda: sweep(library),
        lambda: clock.move(days=chance.choice((0.1, 2, 9))),
    )  # fmt: skip
    for _number in range(STEPS):
        try:
            chance.choice(acts)()
            done += 1
        except (OwnFaultError, SetupError, UnavailableError):
            raise  # nobody asked for these
        except CertlibError:
            pass
        tickets_hold(library, history)
    assert done >= STEPS / 4
    check_invariants(library.store)
