# Make a file outside look old.
# ends: PermissionError
import os

os.utime(OUTSIDE + "/secret", (1, 1))
