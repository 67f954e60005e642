# Start a shell.
# ends: PermissionError
import os

os.execv("/bin/sh", ["sh", "-c", "id"])
