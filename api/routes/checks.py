"""Compare, do not disclose: checks, single and in bulk."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["sharing"])
