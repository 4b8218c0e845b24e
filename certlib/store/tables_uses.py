"""The tables of uses. As `tables`.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""
