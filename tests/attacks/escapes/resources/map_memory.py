# Map 100 GB.
# ends: OSError
import mmap

mmap.mmap(-1, 100 * 2**30)
