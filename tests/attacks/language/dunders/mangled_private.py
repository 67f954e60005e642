# refused: line 3, column 9: values have no attribute '_dask_graph'; only xp.NAME is allowed
def compute_reward(pitch):
    c = pitch._dask_graph
    return pitch, {'p': pitch}
