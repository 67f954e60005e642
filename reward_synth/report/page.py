"""The files that a page is made from: templates that escape what they are given, and styles."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, Template

FOLDER = Path(__file__).parent / "templates"


def page_file(name: str) -> str:
    """A style sheet or script as it is."""
    return (FOLDER / name).read_text()


def page_template(name: str) -> "Template":
    """A template; a name that it is not given is an error."""
    return _environment().get_template(name)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
