"""Access tokens for the systems of agencies."""

from fastapi import APIRouter

router = APIRouter(tags=["clients"])
