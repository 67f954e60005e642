# Compute for ever.
# ends: time
while True:
    pass
