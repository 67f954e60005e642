"""What chaos disturbs: searches of a few seconds with all that a search does, and a training."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.physics import programs_of
from tests.servers import Answer, CompletionServer, Fault, Recording


@dataclass(frozen=True)
class Search:
    """A command line of ``reward-synth run``, or of ``reward-synth train``."""

    task: str
    settings: tuple[str, ...]
    of_a_model: bool = False
    command: str = "run"

    @property
    def arguments(self) -> list[str]:
        return [self.command, self.task, *self.settings]


SEARCHES = {
    "rungs": Search(
        "cartpole-swingup",
        ("--samples", "4", "--iterations", "2", "--steps", "4096", "--seed", "5"),
    ),
    "seeds": Search(
        "reacher-reach",
        ("--samples", "2", "--iterations", "2", "--steps", "1024", "--seeds", "2", "--tune", "1",
         "--no-prune", "--workers", "1"),
    ),
    "model": Search(
        "cartpole-swingup",
        ("--samples", "2", "--iterations", "3", "--steps", "1024", "--model", "test",
         "--workers", "1"),
        of_a_model=True,
    ),
    "train": Search(
        "reacher-reach",
        ("--reward", "expert", "--seeds", "5", "--steps", "2048", "--workers", "1"),
        command="train",
    ),
}  # fmt: skip


def model_server(faults: Iterator[Fault | None]) -> CompletionServer:
    """Answers with the benchmarks' programs for the cart and pole; the second is only right after
    a repair.  Who asks again gets the same answer."""
    texts = [f"```python\n{file.read_text()}```" for file in programs_of("cartpole-swingup")]
    recordings = [Recording(name=str(k), text=text, expect="ok") for k, text in enumerate(texts)]
    misspelt = texts[1].replace("pole_up", "pole_upp", 1)
    mended = Answer(text=texts[1], expect="ok")
    recordings[1] = Recording(name="misspelt", text=misspelt, expect="refused", repairs=[mended])
    return CompletionServer(recordings, faults=faults, remember=True)
