"""Libraries above and beside: the catalogue feed, catalogues collected from others, and their trust packs."""
