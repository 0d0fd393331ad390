"""Reports that the columnar engine writes by itself: CSV that people open with a spreadsheet."""

import shutil
from collections.abc import Sequence

from shared.pipeline.engine import Engine, text
from shared.pipeline.parts import Parts

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""By which a spreadsheet knows the encoding."""
_FORMULA = "=+-@\t\r"
"""Any of these makes a formula of a text that begins with it."""


def keep(parts: Parts, engine: Engine, path: str, columns: Sequence[str], query: str) -> None:
    """Keep a query's rows in the container `reports`; a second call replaces the report."""
    rows, report = engine.folder / "rows.csv", engine.folder / "report.csv"
    engine.run(f"copy ({query}) to {text(str(rows))} (format csv, header false)")
    with rows.open("rb") as source, report.open("wb") as target:
        target.write(_BYTE_ORDER_MARK + ",".join(columns).encode() + b"\n")
        shutil.copyfileobj(source, target, 1 << 20)
    parts.reports.put_file(path, report)
    for file in (rows, report):
        file.unlink()


def harmless(column: str) -> str:
    """Return SQL for a text that no spreadsheet takes for a formula."""
    begins = f"ascii({column}) in ({', '.join(str(ord(each)) for each in _FORMULA)})"
    return f"case when {begins} then '''' || {column} else {column} end"
