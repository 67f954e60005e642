# Höhe über dem Boden, in m: 日本語 も だいじょうぶ
def compute_reward(torso_height):  # ≥ 0.7
    """Steh auf – größer ist besser."""
    unused = None if False else 0.0  # never
    return torso_height, {"height": torso_height}
