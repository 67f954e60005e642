# Fill memory with a file that no folder holds.
# ends: PermissionError
import os

os.memfd_create("owned")
