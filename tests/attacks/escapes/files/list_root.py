# List the root folder.
# ends: PermissionError
import os

os.listdir("/")
