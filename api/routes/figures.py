"""Ratings, reports and statistics."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["figures"])
