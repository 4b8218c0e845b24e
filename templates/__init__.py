"""Licence forms. Values and a QR matrix in, the bytes of a PDF around a gap for its signature out.

What it promises:

* Nothing is ever cut and no blank box is ever printed: a value that does not fit, or a character that no font
  has, stops the record with a :class:`~templates.errors.TemplateError` that names the value.
* Equal forms and contents give equal bytes. The file is PDF/A-3b in one revision, tagged for screen readers,
  with the record attached; only the gap is left open.
* A compiled form may be shared between threads and inherited by fork.

What it does not do: it has never heard of a licence, signs nothing, opens no network and keeps no state. Nor does it
judge whether a picture shows a person, or a value is true.

Modules: ``layout`` reads a form's ``layout.toml`` (docs/templates.md), ``fonts`` finds fonts, ``compile`` freezes
what is the same on each licence, ``writer`` writes one, ``raster`` turns a finished file into pictures and text,
``confined`` does so for a file from anybody.

A whole turn, from a folder to a page:

>>> import datetime as dt, pathlib, tempfile
>>> from templates.compile import compile_form
>>> from templates.fonts import FontBook
>>> from templates.raster import page_text
>>> from templates.writer import FormContent, write_form

>>> layout = '''
... format = 1
... language = "en"
... [page]
... size = "A5-landscape"
... [fonts.body]
... family = "source-serif-4"
... sha256 = "97b2d4da6e3cb494b5a1e66ae176914d852ccabef49e0c02c0df25f3e39aca0b"
... [defaults]
... font = "body"
... [[box]]
... kind = "text"
... tag = "H1"
... text = "Fishing Licence"
... x = 20
... y = 20
... w = 120
... h = 12
... size = 24
... [[box]]
... kind = "value"
... pattern = "{name}, until {until:date-en}"
... x = 20
... y = 40
... w = 120
... h = 8
... [[box]]
... kind = "qr"
... x = 160
... y = 20
... size = 20
... alt = "Verification code"
... [[box]]
... kind = "seal"
... x = 150
... y = 90
... size = 30
... alt = "Seal"
... '''
>>> with tempfile.TemporaryDirectory() as name:
...     folder = pathlib.Path(name)
...     _ = (folder / "layout.toml").write_text(layout)
...     form = compile_form(
...         folder, fonts=FontBook(), agency_name="Lake Board", seal_picture=None, reserve_bytes=1500
...     )

>>> content = FormContent(
...     values={"name": "Ana Żółć", "until": dt.date(2027, 3, 31)},
...     qr=(21, bytes(21 * 21)), under_qr=(), title="Fishing Licence 7", subject="7", author="Lake Board",
...     identifier="7", sealed_at=dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
...     attachment_name="record.json", attachment_json=b"{}", reason="Fishing Licence",
... )
>>> unsealed = write_form(form, content)
>>> print(" / ".join(page_text(unsealed.unsigned()).splitlines()))
Fishing Licence / Ana Żółć, until 31 March 2027
>>> unsealed.gap_hex_length
3000
"""
