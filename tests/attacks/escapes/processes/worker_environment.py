# Read the worker's environment.
# ends: PermissionError
import os

open(f"/proc/{os.getppid()}/environ").read()
