# Link a file from outside.
# ends: OSError
import os

os.link(OUTSIDE + "/secret", "secret")
