"""What licences a holder has, for who is granted to know."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["sharing"])
