# Read keys in the home folder.
# ends: PermissionError
import os

os.listdir(HOME + "/.ssh")
