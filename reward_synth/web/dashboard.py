"""The dashboard: runs, and one run live."""

from fastapi import APIRouter

router = APIRouter()
