"""The use cases in the shape of the national sharing interface (GB/T 36906-style): names and response codes only."""
