"""Signed receipts for the case file."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["sharing"])
