"""Keys, certificates, seals and tokens. Knows no licence: bytes in, bytes or typed results out."""
