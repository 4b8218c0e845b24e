"""The tables of what holders have. As `tables`.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""
