"""Other agencies ask the library: checks, questions, lists, data and files, each for a stated purpose.

Every use goes the same way: `admission.admit` judges it by the asker's grants, before anything is looked up; the
use case looks up and makes its answer; `admission.settle` counts it against the daily cap and writes ledger and audit,
in one transaction; only then does the answer leave. No ledger, no answer.
"""
