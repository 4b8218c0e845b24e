"""The catalogue feed."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["catalogue"])
