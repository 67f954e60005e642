# refused: line 3, column 9: xp.sys.modules is not available; see the functions of xp that are liste
def compute_reward(pitch):
    m = xp.sys.modules
    return pitch, {'p': pitch}
