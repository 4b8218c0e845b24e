"""Data and files of licences, each for one purpose."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["sharing"])
