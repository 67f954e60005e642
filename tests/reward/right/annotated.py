SCALE: float = 2.0

def scaled(x: "Array", by: float = 1.0) -> "Array":
    return x * by

def compute_reward(forward_velocity: "Array[N]", action: "Array[N, 3]") -> tuple[int, dict]:
    """Annotations are read by people only."""
    run: float = scaled(forward_velocity, by=SCALE)
    effort: float = xp.sum(action**2, axis=-1)
    return run - effort, {"run": run, "effort": effort}
