# Take a file from outside.
# ends: OSError
import os

os.rename(OUTSIDE + "/secret", "secret")
