"""The body of the trust pack: directory and status snapshots, written and read back (docs/formats.md, 3)."""

import base64
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.catalogue import parse_type
from certlib.directory import Directory, DirectoryError, directory, directory_json, read_directory
from certlib.identifiers import AgencyCode
from certlib.model import Agency, Status
from certlib.snapshots import (
    LIST_BYTES,
    LIST_ENTRIES,
    SnapshotError,
    read_snapshot,
    read_snapshots,
    snapshot_json,
    status_snapshot,
)

NOW = datetime(2026, 11, 22, 12, 0, 30, 999, tzinfo=UTC)
TYPE = """
code = "well-permit"
segment = "WELL"
token_code = 7
name = { zh = "取水许可证", en = "Well permit" }
identifier_scheme = "plain"
language = "en"
[holder]
kind = "any"
[number]
label = { zh = "编号", en = "Permit no." }
[validity]
long_term = true
[[fields]]
name = "depth"
label = { zh = "深度", en = "Depth" }
kind = "text"
on_token = 10
[[fields]]
name = "remark"
label = { zh = "备注", en = "Remark" }
"""


def names() -> Directory:
    older = parse_type(TYPE, where="v1", version=1)
    newer = parse_type(
        TYPE.replace('name = "depth"', 'name = "bore"').replace("on_token = 10", "on_token = 11"), where="v2", version=2
    )
    agency = Agency(code=AgencyCode("WELLS"), name="水务局", name_en="", timezone="Europe/Berlin")
    return directory([agency], [newer, older])


def test_the_directory_survives_the_way_through_json() -> None:
    assert read_directory(directory_json(names())) == names()


def test_old_versions_keep_their_fields_and_only_token_fields_are_published() -> None:
    body: Any = directory_json(names())
    assert body["types"]["7"]["fields"] == {
        "10": {"name": "depth", "zh": "深度", "en": "Depth", "kind": "text"},
        "11": {"name": "bore", "zh": "深度", "en": "Depth", "kind": "text"},
    }
    assert body["types"]["7"]["number"] == {"zh": "编号", "en": "Permit no."}
    assert body["agencies"] == {"WELLS": {"zh": "水务局", "en": "水务局", "timezone": "Europe/Berlin"}}


def test_members_of_tomorrow_are_passed_over() -> None:
    body: Any = directory_json(names())
    body["agencies"]["WELLS"]["logo"] = {"a": 1}
    body["types"]["7"]["agencies"] = ["WELLS"]
    assert read_directory({**body, "more": []}) == names()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"agencies": [], "types": {}},
        {"agencies": {"A": {"zh": "a", "en": "a"}}, "types": {}},
        {"agencies": {"A": {"zh": "a", "en": "a", "timezone": "Mars/Olympus"}}, "types": {}},
        {"agencies": {"A": {"zh": "a", "en": "a", "timezone": "../../etc/passwd"}}, "types": {}},
        {"agencies": {"A": {"zh": "a", "en": "a", "timezone": ""}}, "types": {}},
        {"agencies": {}, "types": {"x": {}}},
        {"agencies": {}, "types": {"7": {"code": "a", "zh": "a", "en": 1, "number": {}, "fields": {}}}},
        {
            "agencies": {},
            "types": {"٧": {"code": "a", "zh": "", "en": "", "number": {"zh": "", "en": ""}, "fields": {}}},
        },
    ],
)
def test_a_body_of_another_shape_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(DirectoryError):
        read_directory(body)


ENTRIES = st.dictionaries(st.integers(0, LIST_ENTRIES - 1), st.sampled_from(list(Status)), max_size=20)


@given(entries=ENTRIES)
def test_each_status_is_found_at_its_index(entries: dict[int, Status]) -> None:
    snapshot = status_snapshot(entries.items(), as_of=NOW)
    assert all(snapshot.status(index) is status for index, status in entries.items())
    for index in entries:
        neighbour = index ^ 1
        assert snapshot.status(neighbour) is entries.get(neighbour, Status.ACTIVE)


def test_a_snapshot_survives_the_way_through_json() -> None:
    snapshot = status_snapshot([(0, Status.SUSPENDED), (LIST_ENTRIES - 1, Status.REVOKED)], as_of=NOW)
    wire = snapshot_json(snapshot)
    assert read_snapshot(wire) == snapshot
    assert read_snapshots({"https://x/0": wire}) == {"https://x/0": snapshot}
    assert wire["as_of"] == int(NOW.timestamp())
    assert isinstance(wire["lst"], str)
    assert "=" not in wire["lst"]


def test_index_0_is_the_lower_half_of_byte_0() -> None:
    values = status_snapshot([(0, Status.REVOKED), (1, Status.SUSPENDED), (2, Status.SUPERSEDED)], as_of=NOW).values
    assert values[:2] == bytes([0x2E, 0x0F])
    assert len(values) == LIST_BYTES


@pytest.mark.parametrize("index", [-1, LIST_ENTRIES, 2**53])
def test_beyond_the_list_there_is_no_status(index: int) -> None:
    assert status_snapshot([], as_of=NOW).status(index) is None


@pytest.mark.parametrize("value", [1, 3, 4, 5, 6, 7, 8, 9, 10, 11])
def test_a_value_without_meaning_is_no_status(value: int) -> None:
    snapshot = read_snapshot({"bits": 4, "as_of": 1, "lst": packed(bytes([value]) + bytes(LIST_BYTES - 1))})
    assert snapshot.status(0) is None
    assert snapshot.status(1) is Status.ACTIVE


def packed(values: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(values)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"bits": 1, "as_of": 1, "lst": packed(bytes(LIST_BYTES))},
        {"bits": 4, "as_of": "1", "lst": packed(bytes(LIST_BYTES))},
        {"bits": 4, "as_of": True, "lst": packed(bytes(LIST_BYTES))},
        {"bits": 4, "as_of": -1, "lst": packed(bytes(LIST_BYTES))},
        {"bits": 4, "as_of": 10**15, "lst": packed(bytes(LIST_BYTES))},
        {"bits": 4, "as_of": 1, "lst": packed(bytes(LIST_BYTES)), "more": 1},
        {"bits": 4, "as_of": 1, "lst": packed(bytes(LIST_BYTES - 1))},
        {"bits": 4, "as_of": 1, "lst": packed(bytes(LIST_BYTES + 1))},
        {"bits": 4, "as_of": 1, "lst": packed(bytes(100 * LIST_BYTES))},
        {"bits": 4, "as_of": 1, "lst": packed(bytes(LIST_BYTES))[:-8]},
        {"bits": 4, "as_of": 1, "lst": packed(bytes(LIST_BYTES)) + "AAAA"},
        {"bits": 4, "as_of": 1, "lst": "!!"},
        {"bits": 4, "as_of": 1, "lst": ""},
        {"bits": 4, "as_of": 1, "lst": 7},
    ],
)
def test_a_list_of_another_form_is_refused(value: object) -> None:
    with pytest.raises(SnapshotError):
        read_snapshots({"uri": value})


def test_no_lists_at_all_is_no_body() -> None:
    with pytest.raises(SnapshotError):
        read_snapshots(None)
