# Map 100 GB in pieces that other processes could share.
# ends: OSError
import mmap

kept = [mmap.mmap(-1, 2**30) for _ in range(100)]
