"""Prompt templates: jinja2 files in ``prompts/``, where a missing value is an error."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def prompts_folder() -> Path:
    """The folder of prompt templates: packaged in a wheel, at the top level in a checkout."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_data" / "prompts"
    return packaged if packaged.is_dir() else package.parent / "prompts"


def render(template: str, **values: Any) -> str:
    """Fill in ``prompts/TEMPLATE``; raises jinja2.UndefinedError for a value that is missing."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(prompts_folder()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the reader is a language model, not a browser
    )
