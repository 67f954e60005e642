# line 2, column 11: this is not Python
Here is a reward function that makes the robot hop.
