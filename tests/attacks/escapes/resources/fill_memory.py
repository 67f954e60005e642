# Fill memory with bytes.
# ends: MemoryError
kept = [bytearray(64 * 2**20) for _ in range(1600)]
