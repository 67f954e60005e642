# List the home folders.
# ends: PermissionError
import os

os.listdir("/home")
