# Read what another worker left.
# ends: PermissionError
open(NEIGHBOUR_FOLDER + "/result").read()
