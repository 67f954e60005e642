# refused: line 3, column 9: xp.ctypeslib.load_library is not available; see the functions of xp tha
def compute_reward(pitch):
    d = xp.ctypeslib.load_library('libc', '/lib')
    return pitch, {'p': pitch}
