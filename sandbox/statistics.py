"""Statistics of reward components over many environment steps."""

from collections.abc import Mapping

import numpy as np

from sandbox.messages import ComponentStatistics


class ComponentRecorder:
    """Collects component values ``(N,)`` step by step and sums them up at a checkpoint."""

    def __init__(self) -> None:
        self.values: dict[str, list[np.ndarray]] = {}

    def record(self, components: Mapping[str, np.ndarray]) -> None:
        for name, value in components.items():
            self.values.setdefault(name, []).append(value)

    def summarise(self) -> dict[str, ComponentStatistics]:
        """Give each component's statistics since the last call, and forget the values."""
        values = {name: np.concatenate(parts) for name, parts in self.values.items()}
        self.values = {}
        return summarise(values)


def summarise(values: Mapping[str, np.ndarray]) -> dict[str, ComponentStatistics]:
    """Statistics of components, each ``(M,)`` and finite."""
    magnitude = {name: float(np.abs(value).mean()) for name, value in values.items()}
    whole = sum(magnitude.values())
    return {
        name: ComponentStatistics(
            mean=float(value.mean()),
            min=float(value.min()),
            max=float(value.max()),
            std=float(value.std()),
            share=magnitude[name] / whole if whole > 0 else 0.0,
        )
        for name, value in values.items()
    }
