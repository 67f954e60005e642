# Write a file without end.
# ends: OSError
file = open("large", "wb")
file.seek(300 * 2**20)
file.write(b"x" * 2**20)
file.flush()
