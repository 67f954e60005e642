# Read a file of the same user.
# ends: PermissionError
open(OUTSIDE + "/secret").read()
