"""The licence library: the record is law, and its faces are made from it.

What it is for: issuing licences once, keeping the record, and answering whether a licence is good.
What it promises: an identifier and a number are never used twice; a recorded licence never changes, only its
status does; a verify function never calls bad input good.
What it does not do: it speaks no HTTP; `api` and `cli` call it, `signing` and `templates` work for it.

    >>> from certlib.identifiers import parse_identifier
    >>> parse_identifier("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U").version
    '001'
"""
