# refused: line 3, column 9: values have no attribute 'ctypes'; only xp.NAME is allowed
def compute_reward(pitch):
    p = pitch.ctypes.data
    return pitch, {'p': pitch}
