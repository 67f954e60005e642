# Write into a file's attributes.
# ends: PermissionError
import os

os.setxattr(OUTSIDE + "/secret", "user.owned", b"1")
