# Become another program that may be read: a fresh Python.
# ends: PermissionError
import os, sys

os.execv(sys.executable, [sys.executable, "-c", "0"])
