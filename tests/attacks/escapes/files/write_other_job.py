# Make a folder beside its own.
# ends: PermissionError
import os

os.mkdir("../999999")
