# Remove a file outside.
# ends: PermissionError
import os

os.unlink(OUTSIDE + "/secret")
