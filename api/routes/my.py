"""What a holder may see and do."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1/my", tags=["holder"])
