# refused: line 3, column 9: xp.sqrt has no argument 'where'; write xp.sqrt(x)
def compute_reward(pitch, joint_angles):
    p = xp.sqrt(pitch, where=pitch > 0)
    return pitch, {'p': pitch}
