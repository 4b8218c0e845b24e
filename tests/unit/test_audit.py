"""The audit chain as pure values."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.audit import (
    EMPTY_CHAIN,
    GENESIS_HASH,
    AuditChainState,
    AuditRecord,
    audit_hash,
    check_chain,
    next_record,
)
from certlib.errors import OwnFaultError

AT = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


def chain(length: int) -> list[AuditRecord]:
    records: list[AuditRecord] = []
    state = EMPTY_CHAIN
    for number in range(length):
        record = next_record(
            state,
            at=AT,
            actor="clerk",
            act="licence.issued",
            subject=f"1.2.{number}",
            detail={"n": number, "a": "执照"},
        )
        records.append(record)
        state = AuditChainState(seq=record.seq, hash=record.hash)
    return records


def broken(records: list[AuditRecord], head: AuditChainState | None = None) -> str:
    with pytest.raises(OwnFaultError) as found:
        check_chain(records, head=head)
    assert found.value.code == "audit_broken"
    return str(found.value)


def test_the_form_of_the_hash_never_changes() -> None:
    """Chains on disk were made with it: this value must stay for ever."""
    digest = audit_hash(
        seq=1,
        at=AT,
        actor="clerk",
        act="licence.issued",
        subject="1.2.3",
        detail={"number": "甲", "count": 2},
        previous_hash=GENESIS_HASH,
    )
    assert digest == "be11c38152e242a5775e4b9ffadcfde8b74cdf48ef0111840c71a53b08ceedb3"


def test_a_chain_holds_whole_and_in_parts() -> None:
    records = chain(6)
    end = AuditChainState(seq=6, hash=records[-1].hash)
    assert check_chain(records, head=end) == end
    assert check_chain([]) == EMPTY_CHAIN
    middle = check_chain(records[:3])
    assert check_chain(iter(records[3:]), after=middle, head=end) == end


def test_the_order_of_details_and_the_zone_of_the_clock_do_not_matter() -> None:
    record = chain(1)[0]
    other = replace(
        record,
        detail=dict(reversed(list(record.detail.items()))),
        at=AT.astimezone(timezone(timedelta(hours=8))),
    )
    assert check_chain([other]) == check_chain([record])


@pytest.mark.parametrize("name", [field.name for field in fields(AuditRecord)])
def test_any_changed_part_breaks_it(name: str) -> None:
    records = chain(3)
    value = getattr(records[1], name)
    if isinstance(value, int):
        other: object = value + 1
    elif isinstance(value, datetime):
        other = value + timedelta(microseconds=1)
    else:
        other = {**value, "a": "其他"} if isinstance(value, dict) else "0" * 64
    assert "record" in broken([records[0], replace(records[1], **{name: other}), records[2]])  # type: ignore[arg-type]  # any of its parts


def test_removed_repeated_and_exchanged_records_break_it() -> None:
    one, two, three = chain(3)
    head = AuditChainState(seq=3, hash=three.hash)
    assert "record 2 is missing" in broken([one, three])
    assert "record 1 is missing" in broken([two, three])
    assert "record 3 is missing" in broken([one, two, two])
    assert "record 2 is missing" in broken([one, three, two])
    assert "the chain ends at record 2, its head names record 3" in broken([one, two], head)
    assert "the chain ends at record 0" in broken([], head)


def test_a_record_of_another_chain_does_not_follow() -> None:
    one, _ = chain(2)
    stranger = next_record(
        AuditChainState(seq=1, hash="1" * 64), at=AT, actor="x", act="licence.issued", subject="s", detail={}
    )
    assert "does not follow" in broken([one, stranger])


@given(actor=st.text(), subject=st.text(), detail=st.dictionaries(st.text(), st.text() | st.integers(), max_size=4))
def test_any_text_can_be_recorded(actor: str, subject: str, detail: dict[str, str | int]) -> None:
    record = next_record(EMPTY_CHAIN, at=AT, actor=actor, act="a", subject=subject, detail=detail)
    assert check_chain([record]).hash == record.hash
    moved = replace(record, actor=subject, subject=actor)
    if actor != subject:
        broken([moved])
