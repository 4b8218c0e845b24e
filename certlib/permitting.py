"""Grants made, ended, changed and listed, checked against the types that they are for."""
