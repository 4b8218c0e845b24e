"""Operation by standing: the whole table of China profile 8.3, cell by cell, and what a type may loosen."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from certlib.catalogue import parse_type
from certlib.errors import IllegalTransitionError, TypeFolderError
from certlib.model import LEGAL_TRANSITIONS, Status
from certlib.operations import (
    NEW_VERSIONS,
    NO_POLICY,
    POLICIES,
    RESULT,
    TABLE,
    LifecyclePolicy,
    Operation,
    Ruling,
    Standing,
    ruling,
    standing_of,
)

PROFILE = """
             in_term  past_end suspended superseded cancelled withdrawn revoked
transfer     new      no       P         no         no        no        no
renew        new      P        P         no         no        no        no
correct      new      +        new       +          +         +         +
suspend      move     no       +         no         no        no        no
restore      no       no       move      no         no        no        no
cancel       move     move     move      no         no        +         +
withdraw     move     move     move      no         no        no        no
revoke       move     P        move      no         no        no        no
"""
HEAD, *ROWS = (line.split() for line in PROFILE.strip().splitlines())
CELLS = [(row[0], standing, cell) for row in ROWS for standing, cell in zip(HEAD, row[1:], strict=True)]
RULINGS = {"new": Ruling.NEW_VERSION, "move": Ruling.MOVED, "+": Ruling.NOTED}
OF_STATUS: dict[Standing, tuple[Status, ...]] = {
    Standing.IN_TERM: (Status.ACTIVE,),
    Standing.PAST_END: (Status.ACTIVE, Status.SUSPENDED),
    **{each: (Status(each.value),) for each in Standing if each not in (Standing.IN_TERM, Standing.PAST_END)},
}
TYPE = (Path(__file__).parents[2] / "templates" / "business-licence" / "v1" / "type.toml").read_text("utf-8")


def test_the_table_is_whole() -> None:
    assert len(CELLS) == len(Operation) * len(Standing) == 56
    assert {operation for operation, _, _ in CELLS} == set(Operation)


@pytest.mark.parametrize(("operation", "standing", "cell"), CELLS)
def test_each_cell(operation: str, standing: str, cell: str) -> None:
    if cell in RULINGS:
        assert ruling(Operation(operation), Standing(standing)) is RULINGS[cell]
        return
    with pytest.raises(IllegalTransitionError) as refused:
        ruling(Operation(operation), Standing(standing))
    assert refused.value.code == ("not_allowed_by_type" if cell == "P" else "illegal_transition")


@pytest.mark.parametrize("key", sorted(POLICIES))
def test_a_type_may_allow_what_the_table_leaves_to_it(key: str) -> None:
    operation, standing = key.split(":")
    policy = LifecyclePolicy(allow=frozenset({key}))
    assert ruling(Operation(operation), Standing(standing), policy) is TABLE[Operation(operation)][Standing.IN_TERM]
    others = LifecyclePolicy(allow=POLICIES - {key})
    with pytest.raises(IllegalTransitionError):
        ruling(Operation(operation), Standing(standing), others)


@pytest.mark.parametrize("policy", [NO_POLICY, LifecyclePolicy(allow=POLICIES)])
def test_no_ruling_moves_where_the_model_forbids_it(policy: LifecyclePolicy) -> None:
    for operation in Operation:
        for standing in Standing:
            try:
                found = ruling(operation, standing, policy)
            except IllegalTransitionError:
                continue
            for old in OF_STATUS[standing]:
                if found is Ruling.MOVED and RESULT[operation] is not old:
                    assert RESULT[operation] in LEGAL_TRANSITIONS[old]
                if found is Ruling.NEW_VERSION:
                    assert operation in NEW_VERSIONS
                    assert Status.SUPERSEDED in LEGAL_TRANSITIONS[old]
                if not LEGAL_TRANSITIONS[old]:
                    assert found is Ruling.NOTED


@pytest.mark.parametrize(
    ("status", "hour", "standing"),
    [
        (Status.ACTIVE, 15, Standing.IN_TERM),  # 23:59 in Shanghai on the last day
        (Status.ACTIVE, 16, Standing.PAST_END),
        (Status.SUSPENDED, 15, Standing.SUSPENDED),
        (Status.SUSPENDED, 16, Standing.PAST_END),
        (Status.REVOKED, 16, Standing.REVOKED),
    ],
)
def test_the_end_is_inclusive_and_goes_before_a_suspension(status: Status, hour: int, standing: Standing) -> None:
    now = datetime(2026, 11, 22, hour, 0, tzinfo=UTC)
    assert standing_of(status, date(2026, 11, 22), "Asia/Shanghai", now) is standing
    assert standing_of(Status.ACTIVE, None, "Asia/Shanghai", now) is Standing.IN_TERM


def test_a_type_says_nothing_about_changes() -> None:
    assert parse_type(TYPE, where="type.toml", version=1).lifecycle == NO_POLICY


def test_a_type_names_what_takes_two_persons() -> None:
    table = '\n[lifecycle]\nmaker_checker = ["revoke", "renew"]\npending_days = 3\nallow = ["renew:past_end"]\n'
    policy = parse_type(TYPE + table, where="type.toml", version=1).lifecycle
    assert policy.maker_checker == {Operation.REVOKE, Operation.RENEW}
    assert policy.pending_days == 3
    assert policy.allow == {"renew:past_end"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('maker_checker = ["burn"]', "maker_checker"),
        ("maker_checker = 1", "maker_checker"),
        ("pending_days = 0", "pending_days"),
        ('allow = ["restore:revoked"]', "allow"),
        ("two_persons = true", "two_persons"),
    ],
)
def test_a_bad_life_cycle_is_named(line: str, problem: str) -> None:
    with pytest.raises(TypeFolderError, match=f"lifecycle: {problem}"):
        parse_type(f"{TYPE}\n[lifecycle]\n{line}\n", where="type.toml", version=1)
