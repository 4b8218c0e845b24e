"""Reads a PDF of ours back with other people's programs: objects by pikepdf, text by poppler."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pikepdf
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Tagged:
    """A structure element: its tag, its alternative text and its marked contents."""

    tag: str
    alt: str
    marks: tuple[tuple[int, int], ...]
    """(page, number) of each."""


def opened(pdf: bytes) -> pikepdf.Pdf:
    """Open a file; a repair is a failure."""
    document = pikepdf.open(io.BytesIO(pdf), attempt_recovery=False)
    assert document.check_pdf_syntax() == []
    return document


def elements(document: pikepdf.Pdf) -> list[Tagged]:
    """Return the leaves of the structure tree in reading order."""
    pages = {page.obj.objgen: number for number, page in enumerate(document.pages)}
    return list(_leaves(document.Root.StructTreeRoot.K, pages))


def _leaves(element: pikepdf.Object, pages: dict[tuple[int, int], int]) -> Iterator[Tagged]:
    kids = element.get("/K")
    if isinstance(kids, pikepdf.Array) and len(kids) and isinstance(kids[0], pikepdf.Dictionary):
        for kid in kids:
            assert kid.P.objgen == element.objgen
            yield from _leaves(kid, pages)
        return
    marks = ((pages[element.Pg.objgen], int(kids)),) if isinstance(kids, int) else ()
    yield Tagged(str(element.S)[1:], str(element.get("/Alt", "")), marks)


def marked_contents(document: pikepdf.Pdf) -> set[tuple[int, int]]:
    """Return (page, number) of all marked contents that the pages' operators open."""
    found = set()
    for number, page in enumerate(document.pages):
        depth = 0
        for instruction in pikepdf.parse_content_stream(page):
            operator = str(instruction.operator)
            if operator in ("BDC", "BMC"):
                assert depth == 0, "marked contents are never nested"
                depth += 1
            elif operator == "EMC":
                depth -= 1
            elif operator in ("Tj", "Do", "f", "S", "sh", "B"):
                assert depth == 1, f"{operator} outside marked content"
            if operator == "BDC":
                found.add((number, int(instruction.operands[1].MCID)))
        assert depth == 0
    return found


def poppler_text(pdf: bytes) -> str:
    """Return the text as poppler extracts it, without any white space."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext is not installed (apt install poppler-utils)")
    command = [program, "-raw", "-", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)  # noqa: S603 -- a fixed program
    assert done.stderr == b""
    return squeezed(done.stdout.decode("utf-8"))


def squeezed(text: str) -> str:
    """Return a text without white space."""
    return re.sub(r"\s", "", text)
