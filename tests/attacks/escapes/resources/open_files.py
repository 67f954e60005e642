# Open 10,000 files.
# ends: OSError
kept = [open("own", "w") for _ in range(10_000)]
