"""The tables of tickets, ratings and reports. As `tables`.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""
