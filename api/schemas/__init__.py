"""Wire shapes, for the OpenAPI description and for readers; converted by hand."""
