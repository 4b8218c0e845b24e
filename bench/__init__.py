"""Benches: each module is a command that prints a table, with a peer or the floor in the same run.

    .venv/bin/python -m bench.issue

Rates are per wall second, median of interleaved rounds. CPU time is that of all processes taking part.
"""
