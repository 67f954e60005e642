"""Pages: templates that escape what they are given, around one layout, and their files."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reward_synth.report.page import FOLDER as REPORT
from reward_synth.version import __version__

FOLDER = Path(__file__).parent / "templates"
CSS, SCRIPT = "text/css", "text/javascript"
FILES = {
    "report.css": (REPORT / "report.css", CSS),
    "figures.js": (REPORT / "report.js", SCRIPT),
    "compare.css": (REPORT / "compare.css", CSS),
    "app.css": (FOLDER / "app.css", CSS),
    "dashboard.css": (FOLDER / "dashboard.css", CSS),
    "dashboard.js": (FOLDER / "dashboard.js", SCRIPT),
    "feedback.css": (FOLDER / "feedback.css", CSS),
    "feedback.js": (FOLDER / "feedback.js", SCRIPT),
}
"""Style sheets and scripts by name; beside them there is ``plotly.js``."""
A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class File:
    """A style sheet or script as it is sent."""

    content: bytes
    kind: str

    @cached_property
    def version(self) -> str:
        return sha256(self.content).hexdigest()[:12]


class Pages:
    """Renders templates, and sends the files that they name."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader([FOLDER, REPORT]),
            undefined=StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(static=self.address, version=__version__)
        self._files: dict[str, File] = {}

    def render(
        self, request: Request, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A page.  Every template has ``session`` (None outside) and ``static(name)``."""
        session = request.state.session
        text = self._environment.get_template(template).render(session=session, **values)
        return HTMLResponse(text, status)

    def piece(self, template: str, **values: Any) -> str:
        """A part of a page, for a script to put in its place."""
        return self._environment.get_template(template).render(**values)

    def message(self, request: Request, status: int, title: str, words: str) -> HTMLResponse:
        """A page that says one thing."""
        return self.render(request, "message.html.j2", status, title=title, words=words)

    def address(self, name: str) -> str:
        """Where a file is; another one whenever its content is."""
        return f"/static/{name}?v={self.file(name).version}"

    def file(self, name: str) -> File:
        """Raises KeyError for a name that no page uses."""
        if name not in self._files:
            self._files[name] = _read(name)
        return self._files[name]

    def send_file(self, name: str) -> Response:
        """Raises KeyError for a name that no page uses."""
        file = self.file(name)
        return Response(file.content, media_type=file.kind, headers={"Cache-Control": A_YEAR})


def _read(name: str) -> File:
    if name == "plotly.js":
        from plotly.offline import get_plotlyjs

        return File(get_plotlyjs().encode(), SCRIPT)
    path, kind = FILES[name]
    return File(path.read_bytes(), kind)
