"""Prompt templates: jinja2 files in ``prompts/``, where a missing value is an error."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_synth.errors import UserError

if TYPE_CHECKING:
    from jinja2 import Environment


def prompts_folder() -> Path:
    """The folder of prompt templates: packaged in a wheel, at the top level in a checkout."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_data" / "prompts"
    return packaged if packaged.is_dir() else package.parent / "prompts"


def render(template: str, folder: Path | None = None, /, **values: Any) -> str:
    """Fill in ``FOLDER/TEMPLATE``, of the built-in prompts if no folder is given.

    Raises UserError when there is no such file, its syntax is wrong, or it uses a value that is
    not given: the folder may be a user's own.
    """
    from jinja2 import TemplateError, TemplateNotFound

    folder = folder or prompts_folder()
    try:
        return _environment(folder).get_template(template).render(values)
    except TemplateNotFound:
        raise UserError(f"there is no prompt template {folder / template}") from None
    except TemplateError as error:
        raise UserError(f"prompt template {folder / template}: {error}") from error


@cache
def _environment(folder: Path) -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the reader is a language model, not a browser
    )
