# Connect to a service by its socket file.
# ends: PermissionError
import socket

socket.socket(socket.AF_UNIX).connect(OUTSIDE + "/socket")
