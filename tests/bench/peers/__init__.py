"""Who else does such work: other programs, each in an environment of its own, on the same data in the same run."""
