"""The tables of OAuth clients. As `tables`.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""
