"""Questions that a type answers with yes, no or not recorded: declared in its type.toml, answered from one record.

Pure.
"""
