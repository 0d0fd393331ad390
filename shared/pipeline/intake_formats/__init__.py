"""Reading what others send: xAPI statements, our own records as JSON, and CSV files that a mapping describes.

`read_records` is the way in. Everything here is pure: bytes come in, records and refusals go out, one after the other,
and no more than one record is held in memory. What is refused is told by line, path and a sentence; none of its values
stand in it.
"""
