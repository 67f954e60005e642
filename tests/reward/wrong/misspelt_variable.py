# line 2, column 20: 'torso_heigth' is not a variable of this task; did you mean 'torso_height'?
def compute_reward(torso_heigth):
    return torso_heigth, {"stand": torso_heigth}
