"""MuJoCo's names live in compiled modules that a type checker cannot look into."""

from typing import Any

def __getattr__(name: str) -> Any: ...
