# Crash the interpreter.
# ends: killed
import ctypes

ctypes.string_at(0)
