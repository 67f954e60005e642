# Connect to a listener on this machine.
# ends: OSError
import socket

socket.create_connection(("::1", PORT), 2)
