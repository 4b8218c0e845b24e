"""A whole register at once: every lawful row issued once, every other reported, resumable by running again.

What it promises: one outcome per row; a bad row never stops a good one; memory does not grow with the rows; a run that
was killed is finished by the same command, with the same identifiers. What it does not do: it knows no other way to
issue than `issuing.issue_block`.

    >>> from certlib.batch import BatchSummary
    >>> BatchSummary(read=3, seconds=1.5).per_second
    2.0
"""

from certlib.batch.running import BatchSummary, run_batch

__all__ = ["BatchSummary", "run_batch"]
