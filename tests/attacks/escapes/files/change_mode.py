# Make a file outside readable for everybody, or for nobody.
# ends: PermissionError
import os

os.chmod(OUTSIDE + "/secret", 0o777)
