# Link its own file outside.
# ends: OSError
import os

open("own", "w").close()
os.link("own", OUTSIDE + "/own")
