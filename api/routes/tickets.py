"""Objections and corrections, from holders and to agencies."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1", tags=["tickets"])
