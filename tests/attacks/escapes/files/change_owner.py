# Give a file outside away.
# ends: PermissionError
import os

os.chown(OUTSIDE + "/secret", os.getuid(), os.getgid())
