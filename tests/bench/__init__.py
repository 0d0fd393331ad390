"""`make bench`: how fast and how small the connector is, beside the bare chain of its tools and beside peers.

What is claimed is in `claims.py`; figures are judged there and nowhere else, and only where the data is large enough.
"""
