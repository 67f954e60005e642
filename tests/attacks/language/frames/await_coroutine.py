# refused: line 2, column 1: async functions are not allowed; write def
async def f(x):
    return x

def compute_reward(pitch):
    p = f(pitch).cr_frame
    return pitch, {'p': pitch}
