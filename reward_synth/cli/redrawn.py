"""A block of the terminal that is redrawn a few times a second below the lines that stay."""

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

BAR_WIDTH = 24
REFRESHES_PER_SECOND = 4


def can_redraw(out: "Console") -> bool:
    """Whether it is a terminal that can, not a file or a pipe."""
    return out.file.isatty() and not out.is_dumb_terminal


class Redrawn:
    """Draws what :meth:`draw` gives while it is entered; a thread of its own calls that.

    It is drawn once when made, so what that needs has to be there before.
    """

    def __init__(self, out: "Console") -> None:
        from rich.live import Live
        from rich.spinner import Spinner

        self.spinner = Spinner("dots")
        self.live = Live(
            get_renderable=self.draw,
            console=out,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
        )

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def draw(self) -> "RenderableType":
        raise NotImplementedError

    def block(self, table: "RenderableType", footer: "Text") -> "RenderableType":
        """A table above a turning sign and one line."""
        from rich.console import Group
        from rich.padding import Padding

        self.spinner.update(text=footer)
        return Padding(Group(table, self.spinner), (1, 0, 0, 1))
