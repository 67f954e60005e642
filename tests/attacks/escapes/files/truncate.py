# Empty a file outside.
# ends: PermissionError
import os

os.truncate(OUTSIDE + "/secret", 0)
