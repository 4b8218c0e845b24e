"""The token endpoint of OAuth 2: a client proves itself and is given an access token."""
