"""Licence forms: values and a QR matrix in, PDF bytes with a gap for the signature out."""
