"""Registers made for tests: a small licence type and mapping, and files in every format and state of repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certlib.catalogue import LicenceType, parse_type
from certlib.intake import RegisterMap, parse_map

if TYPE_CHECKING:
    from pathlib import Path

SHOP_TYPE = """
code = "shop-licence"
segment = "SHOP"
token_code = 9
name = { zh = "店铺", en = "Shop" }
identifier_scheme = "plain"
language = "en"
[holder]
code_types = ["001"]
max = 2
[number]
label = { zh = "号", en = "No." }
max_length = 20
[validity]
long_term = true
[[fields]]
name = "address"
label = { zh = "地址", en = "Address" }
required = true
[[fields]]
name = "opened_on"
label = { zh = "开业", en = "Opened" }
kind = "date"
[[fields]]
name = "photo"
label = { zh = "照片", en = "Photo" }
kind = "image"
"""
SHOP_MAP = """
type = "shop-licence"
[number]
column = "no"
[holder]
name = { column = "name" }
[dates]
issued_on = { column = "from" }
expires_on = { column = "to" }
long_term = ["2099-12-31", ""]
[fields]
address = { column = "addr" }
"""
SHOP_COLUMNS = ("no", "name", "from", "to", "addr")


def shop_type() -> LicenceType:
    """A licence type that takes whatever a test needs."""
    return parse_type(SHOP_TYPE, where="shop-licence/v1/type.toml", version=1)


def shop_map(extra: str = "", *, text: str = SHOP_MAP) -> RegisterMap:
    """The mapping of `SHOP_COLUMNS`; `extra` is TOML put behind it."""
    return parse_map(text + extra, where="shop.map.toml", licence_type=shop_type())


def shop_file(folder: Path, body: str | bytes, *, name: str = "shops.csv") -> Path:
    """A CSV register with the right header and `body`."""
    path = folder / name
    header = ",".join(SHOP_COLUMNS) + "\n"
    path.write_bytes(header.encode() + (body.encode() if isinstance(body, str) else body))
    return path
