# Do nothing for ever.
# ends: time
import time

time.sleep(3600)
