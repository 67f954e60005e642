# Change the root folder.
# ends: PermissionError
import os

os.chroot(".")
