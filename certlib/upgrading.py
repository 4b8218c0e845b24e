"""Bringing an older library to this program."""
