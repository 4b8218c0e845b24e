"""Registers in: rows of CSV, XLSX and JSONL files become requests to issue, through a mapping file.

What it is for: reading what agencies have, exactly. What it promises: a stream, so memory does not grow with the
file; each row with the line a person finds it on; no value changed unless the mapping says so; a row that cannot be
read faithfully is reported and never issued. What it does not do: it reserves and issues nothing (`batch` does).

    >>> from certlib.intake import parse_as_status
    >>> parse_as_status("注销=cancelled")["注销"].value
    'cancelled'
"""

from certlib.intake.csvwriting import CsvWriter, looks_like_formula, neutralised, restored
from certlib.intake.registermap import RegisterMap, parse_map
from certlib.intake.registers import open_register
from certlib.intake.requests import Candidate, Draft, RequestMaker, parse_as_status
from certlib.intake.rows import FAULT_COLUMNS, WHOLE_ROW, Register, Row

__all__ = [
    "FAULT_COLUMNS",
    "WHOLE_ROW",
    "Candidate",
    "CsvWriter",
    "Draft",
    "Register",
    "RegisterMap",
    "RequestMaker",
    "Row",
    "looks_like_formula",
    "neutralised",
    "open_register",
    "parse_as_status",
    "parse_map",
    "restored",
]
