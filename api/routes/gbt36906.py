"""The facade in the shape of the national sharing interface (GB/T 36906-style)."""

from fastapi import APIRouter

router = APIRouter(prefix="/gbt36906", tags=["gbt36906"])
