# Write a file outside.
# ends: PermissionError
open(OUTSIDE + "/new", "w")
