# Read what passes over the network.
# ends: OSError
import socket

socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
