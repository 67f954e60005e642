"""The feedback page."""

from fastapi import APIRouter

router = APIRouter()
