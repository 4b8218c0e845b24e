"""The ledger is complete, whatever was looked at in whichever way and order, and nobody reads another's."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certlib.changing import order_change
from certlib.grants import Interface
from certlib.holding.codes import code_to_show, see_shown
from certlib.holding.ledger import ledger
from certlib.holding.own import own_licence, own_licences, own_pdf
from certlib.library import Library
from certlib.operations import Operation
from certlib.sharing.admission import admit, settle
from tests.support.changes import order
from tests.support.clock import Clock
from tests.support.holders import (
    CHILD,
    COMPANY,
    MOTHER,
    SECRETS,
    STRANGER,
    birth_of,
    company_of,
    guardian_of_child,
    licence_of,
    me_of,
    officer_of_company,
)
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU
from tests.support.sharing import asker, asking, granted

PEOPLE = {"mother": MOTHER, "child": CHILD, "company": COMPANY}
INTERFACES = {each: each.value for each in (Interface.CHECK, Interface.QUESTION, Interface.LIST, Interface.DATA)}


@dataclass
class World:
    """A library with three holders, and every look that each must find in the ledger."""

    lib: Library
    acting: dict[str, str]
    licences: dict[str, list[tuple[str, str]]]
    """By holder: identifier and type."""
    expected: dict[str, list[tuple[str, str, str]]] = field(default_factory=lambda: {who: [] for who in PEOPLE})
    """By holder: kind, identifier, outcome; oldest first."""
    strangers: int = 0
    """Askings about somebody who has no licence."""

    def me(self, who: str) -> Any:  # noqa: ANN401  # a caller
        return me_of(self.lib, MOTHER, acting_for=self.acting[who])


def world_of(lib: Library) -> World:
    mother = [licence_of(lib, number=number) for number in ("YB-2026-000318", "YB-2026-000319")]
    birth, company = birth_of(lib), company_of(lib)
    for each in ("practitioner-licence", "birth-certificate", "business-licence"):
        granted(lib, type_code=each, fields=("number",))
    acting = {"mother": "", "child": guardian_of_child(lib).id, "company": officer_of_company(lib).id}
    licences = {"mother": mother, "child": [birth], "company": [company]}
    named = {who: [(str(each.identifier), each.type_code) for each in found] for who, found in licences.items()}
    return World(lib=lib, acting=acting, licences=named)


Step = tuple[str, str, int]
WAYS = (*INTERFACES.values(), "nothing", "stranger", "parent", "bulk", "own", "pdf", "list_own", "show", "correct")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(WAYS),
        st.sampled_from(sorted(PEOPLE)),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip


def asked(world: World, interface: Interface, type_code: str, rows: list[tuple[str, str, str]]) -> None:
    """One asking of the city that settles these looks: identifier, holder code, outcome."""
    admission = admit(
        world.lib, asker(), asking(), interface=interface, type_code=type_code, fields=("number",)
    )  # fmt: skip
    looks = [
        admission.look(outcome=outcome, identifier=identifier, holder_code=code) for identifier, code, outcome in rows
    ]
    settle(world.lib, admission, looks)


def do(world: World, step: Step) -> None:
    what, who, which = step
    code = PEOPLE[who][0]
    identifier, type_code = world.licences[who][which % len(world.licences[who])]
    found = world.expected[who]
    if what in INTERFACES.values():
        # An asking by number names no holder: the ledger finds it by the licence all the same.
        named = code if which % 2 else ""
        asked(world, Interface(what), type_code, [(identifier, named, "given")])
        found.append((what, identifier, "given"))
    elif what == "nothing":
        asked(world, Interface.CHECK, "birth-certificate", [("", code, "nothing_found")])
        found.append(("check", "", "nothing_found"))
    elif what == "stranger":
        asked(world, Interface.CHECK, type_code, [("", STRANGER[0], "nothing_found")])
        world.strangers += 1
    elif what == "parent":
        # Asked about the mother, answered from the child's licence: each of them finds it.
        ((birth, _type),) = world.licences["child"]
        asked(world, Interface.QUESTION, "birth-certificate", [(birth, MOTHER[0], "yes")])
        world.expected["child"].append(("question", birth, "yes"))
        world.expected["mother"].append(("question", "", "yes"))
    elif what == "bulk":
        rows = [(each, PEOPLE[other][0], "match") for other in PEOPLE for each, _type in world.licences[other]]
        asked(world, Interface.CHECK, type_code, rows)
        for other in PEOPLE:
            world.expected[other] += [("check", each, "match") for each, _type in world.licences[other]]
    elif what == "correct":
        correct(world, who, which)
    else:
        in_person(world, what, who, identifier)


def in_person(world: World, what: str, who: str, identifier: str) -> None:
    """What the holder, or who acts for the holder, does."""
    me, found = world.me(who), world.expected[who]
    if what == "own":
        own_licence(world.lib, me, identifier)
        found.append(("own", identifier, "given"))
    elif what == "pdf":
        own_pdf(world.lib, me, identifier)
        found.append(("own", identifier, "file_given"))
    elif what == "list_own":
        listed = own_licences(world.lib, me).licences
        if world.acting[who]:  # a delegate's look at the list is put down, the holder's own is not
            found.extend(("own", str(each["identifier"]), "listed") for each in listed)
    else:
        made = code_to_show(world.lib, me, [identifier])
        see_shown(world.lib, made.code, caller=asker() if len(found) % 2 else None, address="192.0.2.1")
        found.append(("shown", identifier, "given"))


def correct(world: World, who: str, which: int) -> None:
    """A new version: looks at the old one stay the holder's, looks at the new one come to them."""
    position = which % len(world.licences[who])
    identifier, type_code = world.licences[who][position]
    name = {"mother": "institution", "child": "institution", "company": "address"}[who]
    clock = world.lib.now
    assert isinstance(clock, Clock)
    clock.move(seconds=1)
    renewed = {"fields": {name: f"样本市{clock().timestamp():.0f}号"}}
    done = order_change(world.lib, MARKET_BUREAU.code, identifier, order(Operation.CORRECT, renewed=renewed))
    world.licences[who][position] = (str(done.successor), type_code)


def read(world: World, who: str, limit: int) -> list[dict[str, Any]]:
    """The whole ledger of somebody, page by page, oldest first."""
    rows: list[dict[str, Any]] = []
    before = 0
    while True:
        page = ledger(world.lib, world.me(who), before=before, limit=limit)
        assert len(page.looks) <= limit
        rows += page.looks
        if not page.next:
            return rows[::-1]
        assert not before or page.next < before
        before = page.next


def test_the_ledger_is_complete(library: Library) -> None:
    world = world_of(library)

    @settings(max_examples=8, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS, limit=st.integers(1, 40))
    def run(steps: list[Step], limit: int) -> None:
        for step in steps:
            do(world, step)
        for who in PEOPLE:
            rows = read(world, who, limit)
            kept = [(each["kind"], each["licence"], each["outcome"]) for each in rows]
            # Rows of one act have no order among themselves that anybody relies on.
            assert sorted(kept) == sorted(world.expected[who])
            assert [each["id"] for each in rows] == sorted({each["id"] for each in rows})
            assert not [each for each in (*SECRETS, COMPANY[0]) if each in str(rows)]
            by = {each["by"] for each in rows if each["kind"] == "own"}
            assert by <= {"delegate" if world.acting[who] else "holder"}

    run()
    rows = ledger(library, me_of(library, STRANGER), limit=500).looks
    assert [each["licence"] for each in rows] == [""] * world.strangers
    check_invariants(library.store)
