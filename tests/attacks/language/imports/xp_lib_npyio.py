# refused: line 3, column 9: xp.lib.npyio.DataSource is not available; see the functions of xp that 
def compute_reward(pitch):
    d = xp.lib.npyio.DataSource()
    return pitch, {'p': pitch}
