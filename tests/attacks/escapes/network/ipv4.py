# Connect to a listener on this machine.
# ends: PermissionError
import socket

socket.create_connection(("127.0.0.1", PORT), 2)
