"""Ways of writing the same rows that exports, editors and spreadsheets have."""

import csv
import io
from collections.abc import Callable

type Rewrite = Callable[[bytes], bytes]


def written(*, delimiter: str = ",", lineterminator: str = "\n", quote: bool = False) -> Rewrite:
    """Write all rows again in a way that the csv module knows."""

    def rewrite(content: bytes) -> bytes:
        out = io.StringIO()
        writer = csv.writer(
            out,
            delimiter=delimiter,
            lineterminator=lineterminator,
            quoting=csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL,
        )
        writer.writerows(csv.reader(io.StringIO(content.decode(), newline="")))
        return out.getvalue().encode()

    return rewrite


def columns(change: Callable[[list[str]], list[str]]) -> Rewrite:
    """Change every record, the header first, by its fields."""

    def rewrite(content: bytes) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows(map(change, csv.reader(io.StringIO(content.decode(), newline=""))))
        return out.getvalue().encode()

    return rewrite


def header(change: Callable[[str], str]) -> Rewrite:
    """Change the first line alone."""

    def rewrite(content: bytes) -> bytes:
        first, newline, rest = content.partition(b"\n")
        return change(first.decode()).encode() + newline + rest

    return rewrite


def marked(newline: str) -> Rewrite:
    """End records with `!##!`; newlines inside them need no quotes then."""

    def rewrite(content: bytes) -> bytes:
        records = csv.reader(io.StringIO(content.decode(), newline=""))
        lines = []
        for record in records:
            out = io.StringIO()
            csv.writer(out, delimiter="|", lineterminator="").writerow(record)
            lines.append(out.getvalue())
        return "".join(f"{line}!##!{newline}" for line in lines).encode()

    return rewrite


def stray_quotes(content: bytes) -> bytes:
    """Leave the quotes of `"a 5"" disk | or two"` as they were typed."""
    return content.replace(b'"a 5"" disk | or two"', b'a 5" disk | or two')


SAME: dict[str, Rewrite] = {
    "byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "pipes": written(delimiter="|"),
    "tabs": written(delimiter="\t"),
    "everything quoted": written(quote=True),
    "CRLF": written(lineterminator="\r\n"),
    "carriage returns alone": written(lineterminator="\r"),
    "!##! and no newline": marked(""),
    "!##! and a newline": marked("\n"),
    "!##! and CRLF": marked("\r\n"),
    "blanks around fields": columns(lambda record: [f" {field} " if "\n" not in field else field for field in record]),
    "blank lines above and between": lambda content: b"\n \n" + written(lineterminator="\n\n")(content),
    "blank lines at the end": lambda content: content + b"\n\n \n",
    "no newline at the end": lambda content: content.rstrip(b"\r\n"),
    "a delimiter behind every record": columns(lambda record: [*record, ""]),
    "a delimiter behind every record but the header": columns(
        lambda record: record if record[0] in ("CPNT_TYP_ID", "STUD_ID") else [*record, ""]
    ),
    "columns in another order": columns(lambda record: record[::-1]),
    "header in lower case": header(str.lower),
    "header with blanks and quotes": header(lambda line: ", ".join(f'"{name}"' for name in line.strip().split(","))),
    "stray quotes": stray_quotes,
}
