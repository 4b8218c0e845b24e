"""What a requesting agency may ask."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["clients"])
