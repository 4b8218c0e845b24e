"""The shapes of OAuth 2 and of grants."""

from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from api.schemas import examples

TOKEN_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "example": examples.TOKEN_FORM,
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "scope": {
                            "type": "string",
                            "description": "Words between single spaces; not given is all that the client has.",
                        },
                        "client_id": {"type": "string", "description": "Not needed with an assertion, which names it."},
                        "client_secret": {"type": "string", "description": "Or HTTP Basic, or an assertion."},
                        "client_assertion_type": {
                            "type": "string",
                            "enum": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
                        },
                        "client_assertion": {
                            "type": "string",
                            "description": "RFC 7523: an ES256 JWT by one of the client's keys. iss and sub are the "
                            "client's id, aud is this URL or the issuer, exp is at most 300 seconds ahead, jti is new.",
                        },
                    },
                },
            }
        },
    }
}


class TokenOut(BaseModel):
    """RFC 6749, 5.1."""

    access_token: str = Field(description="A JWT (RFC 9068) for the header `Authorization: Bearer`.")
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")
    scope: str


class OAuthErrorOut(BaseModel):
    """RFC 6749, 5.2. Programs match `error`."""

    error: Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]
    error_description: str


class JwkOut(BaseModel):
    """A public key (RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    kid: str
    use: Literal["sig"]
    alg: Literal["ES256"]


class JwksOut(BaseModel):
    """The keys that access tokens are signed with."""

    keys: list[JwkOut]


class MetadataOut(BaseModel):
    """RFC 8414, 2."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]


class GrantOut(BaseModel):
    """What the caller may ask about licences of one type."""

    id: str
    agency: str
    type: str
    fields: list[str] = Field(description="Names of values; the status is never withheld.")
    interfaces: list[Literal["check", "question", "list", "data", "file", "feed"]]
    matters: list[str] = Field(description="Codes of the matters that may be named as purpose.")
    basis: Literal["statutory", "consent"]
    clause: str
    daily_cap: int = Field(description="Licences or rows asked about in a day (UTC).")
    used_today: int
    networks: list[str] = Field(description="CIDR; empty is any network.")
    valid_from: str
    valid_until: str | None = Field(description="Exclusive; null is until it is ended.")
    granted_by: str
    granted_at: str
    ended_at: str | None
    ended_by: str
    end_reason: str


class GrantsOut(BaseModel):
    """The caller's grants that are in force now."""

    grants: list[GrantOut]
