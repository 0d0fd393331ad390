"""`make bench`: how long a large package takes, beside what the bare chain of its tools would, and how much memory.

Nothing here is asserted but memory; times differ between machines, and are for people to compare.
"""
