# refused: line 3, column 9: xp.add has no argument 'out'; write xp.add(a, b)
def compute_reward(pitch, joint_angles):
    p = xp.add(pitch, pitch, out=pitch)
    return pitch, {'p': pitch}
