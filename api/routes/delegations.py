"""Acting for another holder."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1/my", tags=["holder"])
