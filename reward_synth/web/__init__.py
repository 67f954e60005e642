"""The web application: the feedback page and the dashboard.

It reads and writes the store alone, so it can be opened beside a run, or on one long over.
"""
