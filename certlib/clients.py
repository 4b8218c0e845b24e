"""Systems of agencies as OAuth 2 clients: registered, given access tokens, rotated, disabled."""
