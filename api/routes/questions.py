"""Questions with yes, no or not recorded for an answer."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["sharing"])
