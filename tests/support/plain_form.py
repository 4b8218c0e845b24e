"""A plain form for tests of the engine: every kind of box, no beauty, written into a temporary folder."""

from __future__ import annotations

import datetime as dt
import io
import random
from typing import TYPE_CHECKING

from PIL import Image

from signing.qr import qr_matrix
from templates.compile import compile_form
from templates.writer import FormContent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from templates.fonts import FontBook
    from templates.form import CompiledForm

SC = "a3041811a78c361b1de50f953c805e0244951c21c5bd412f7232ef0d899af0da"
JP = "c2f3b4d463500a2ddcd3849cded1fceeb9fd6d1c32e6cbecd568453ba50fc68f"
WENKAI = "bbf534b0ca093928f94d1782855e65a19a32cde82b075d495d072025521953c8"
SERIF = "97b2d4da6e3cb494b5a1e66ae176914d852ccabef49e0c02c0df25f3e39aca0b"
AGENCY = "样本市市场监督管理局"
SEALED_AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
RESERVE_BYTES = 1500

HEAD = f"""
format = 1
language = "zh-CN"
[page]
size = "A4-landscape"
trim = 8
colour = "#fffdf5"
svg = "background.svg"
[fonts.body]
family = "noto-sans-sc"
weight = 400
sha256 = "{SC}"
[fonts.bold]
family = "noto-sans-sc"
weight = 700
sha256 = "{SC}"
[fonts.latin]
family = "source-serif-4"
weight = 500
sha256 = "{SERIF}"
[fonts.rare]
family = "noto-sans-jp"
weight = 400
sha256 = "{JP}"
[defaults]
font = ["body", "rare"]
size = 12
colour = "#1a1a1a"
"""

BOXES = """
[[box]]
kind = "text"
tag = "H1"
text = "营业执照"
x = 60
y = 20
w = 170
h = 18
font = "bold"
size = 36
align = "center"
valign = "middle"
spacing = 0.2

[[box]]
kind = "text"
tag = "Caption"
text = "名称"
x = 20
y = 50
w = 24
h = 6
align = "spread"
[[box]]
kind = "value"
field = "name"
x = 50
y = 50
w = 120
h = 7
font = ["bold", "rare"]
size = 16
min_size = 10
wrap = false

[[box]]
kind = "value"
field = "english"
language = "en"
x = 50
y = 60
w = 120
h = 14
font = "latin"
align = "justify"
min_size = 8

[[box]]
kind = "value"
pattern = "{from:date-zh}至{to:date-zh-long-term}"
x = 50
y = 78
w = 120
h = 6
valign = "baseline"
baseline = 83

[[box]]
kind = "value"
field = "scope"
x = 50
y = 90
w = 120
h = 60
size = 12
min_size = 8
align = "justify"
overflow = "continue"
label = "经营范围"

[[box]]
kind = "image"
field = "portrait"
x = 180
y = 50
w = 25
h = 35
alt = "持证人照片"
required = false

[[box]]
kind = "qr"
x = 230
y = 50
size = 30
alt = "验证二维码"
under_labels = ["查验码 ", "核对词 "]

[[box]]
kind = "value"
field = "agency"
x = 180
y = 140
w = 80
h = 6
align = "center"

[[box]]
kind = "seal"
x = 200
y = 122
size = 40
alt = "发证机关印章"

[[box]]
kind = "watermark"
field = "watermark"
font = "bold"
size = 50

[continuation]
title = "营业执照（续页）"
header = "{name}"
x = 30
y = 50
w = 230
h = 120
mark = "（转续页）"
"""

BACKGROUND = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 297 210">
<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="0">
<stop offset="0" stop-color="#a8761c"/><stop offset="1" stop-color="#e8c87c"/></linearGradient></defs>
<rect x="10" y="10" width="277" height="190" rx="3" fill="none" stroke="#a8761c" stroke-width="0.6"/>
<rect x="20" y="44" width="150" height="1" fill="url(#g)" fill-opacity="0.6"/>
<g transform="translate(148 180) rotate(45)" opacity="0.5"><path d="M-3 -3 h6 v6 h-6 z M0 0 a2 2 0 1 1 1 1"
fill="#8c1515" fill-rule="evenodd"/></g></svg>"""

LAYOUT = HEAD + BOXES


def plain_folder(folder: Path, layout: str = LAYOUT, *, svg: bytes = BACKGROUND) -> Path:
    """Write the form into a folder and return it."""
    (folder / "layout.toml").write_text(layout, "utf-8")
    (folder / "background.svg").write_bytes(svg)
    return folder


def plain_form(
    folder: Path, fonts: FontBook, layout: str = LAYOUT, *, seal_picture: bytes | None = None
) -> CompiledForm:
    """Write and compile the form."""
    return compile_form(
        plain_folder(folder, layout),
        fonts=fonts,
        agency_name=AGENCY,
        seal_picture=seal_picture,
        reserve_bytes=RESERVE_BYTES,
    )


def token_text(seed: int = 1, digits: int = 760) -> str:
    """Return a text like a token's URL."""
    numbers = random.Random(seed)  # noqa: S311 -- stands for a token, protects nothing
    return "https://licence.example/q#" + "".join(numbers.choice("0123456789") for _ in range(digits))


def plain_content(values: Mapping[str, str | dt.date | bytes | None] | None = None, seed: int = 1) -> FormContent:
    """Return content for the plain form; `values` go over its own."""
    matrix = qr_matrix(token_text(seed))
    own: dict[str, str | dt.date | bytes | None] = {
        "name": "甬江样本茶叶贸易有限公司",
        "english": "Sample Tea Trading Co., Ltd.",
        "from": dt.date(2026, 11, 18),
        "to": None,
        "scope": "一般项目：茶具销售；食品销售（仅销售预包装食品）。",
        "portrait": None,
        "agency": AGENCY,
        "watermark": None,
    }
    return FormContent(
        values=own | dict(values or {}),
        qr=(matrix.size, matrix.modules),
        under_qr=("7K3M-9QTZ-XR5A-B1CD", "lusab-babad"),
        title="营业执照 <1> & 2",
        subject="1.2.156.3005.2.1.2.3.001.X",
        author=AGENCY,
        identifier="1.2.156.3005.2.1.2.3.001.X",
        sealed_at=SEALED_AT,
        attachment_name="record.json",
        attachment_json='{"名称":"甬江样本茶叶贸易有限公司"}'.encode(),
        reason="营业执照",
    )


def portrait(*, width: int = 600, height: int = 800, form: str = "JPEG") -> bytes:
    """Return an invented photograph with EXIF that says it lies on its side, and a place."""
    image = Image.radial_gradient("L").resize((width, height)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "SECRET PLACE"
    out = io.BytesIO()
    image.save(out, form, exif=exif)
    return out.getvalue()
