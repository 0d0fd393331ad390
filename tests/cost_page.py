"""The tables of `docs/cost.md`."""

from shared.domain.plan import BATCH
from tests import cost

_WHOLE = 100
"""From here on a number is shown without what is behind its point."""


def months_table() -> str:
    """Return the bill of every size, and what it adds up to."""
    book = cost.read_book()
    sizes = book.sizes
    bills = [cost.bill(book, size) for size in sizes]
    lines = [
        f"| {book.currency} a month | {' | '.join(f'{each.name}, {each.learners:,} learners' for each in sizes)} |",
        "| --- |" + " ---: |" * len(sizes),
    ]
    lines += [f"| {item.name} | {' | '.join(f'{each[item.name]:,.2f}' for each in bills)} |" for item in cost.ITEMS]
    always = [sum(each[item.name] for item in cost.ITEMS if item.part == "always") for each in bills]
    lines.append(f"| **without a network** | {' | '.join(f'**{each:,.2f}**' for each in always)} |")
    lines.append(f"| **with `usesNetwork`** | {' | '.join(f'**{sum(each.values()):,.2f}**' for each in bills)} |")
    warm = book.prices["premium_hour"].amount * book.assumptions["hours"].value
    less = [each["Function app: time"] + each["Function app: runs"] for each in bills]
    lines.append(f"| `plan` `premium` instead of `flex` | {' | '.join(f'+{warm - each:,.2f}' for each in less)} |")
    return "\n".join(lines)


def first_table() -> str:
    """Return what the first publication costs beside an ordinary month: everything is sent, once."""
    book = cost.read_book()
    lines = [
        "| First publication | writes | requests | GB-s | " + book.currency + " |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for size in book.sizes:
        known = cost.quantities(book, size)
        requests = known["rows"] / BATCH
        seconds = requests * known["request_seconds"] * known["instance_gb"]
        month = seconds * book.prices["flex_gb_second"].amount
        lines.append(f"| {size.name} | {known['rows']:,.0f} | {requests:,.0f} | {seconds:,.0f} | {month:,.2f} |")
    return "\n".join(lines)


def arithmetic_table() -> str:
    """Return every quantity with how it is computed, and every item with its price."""
    book = cost.read_book()
    known = [cost.quantities(book, size) for size in book.sizes]
    head = " | ".join(each.name for each in book.sizes)
    lines = [f"| Quantity a month | how | {head} |", "| --- | --- |" + " ---: |" * len(book.sizes)]
    for each in cost.QUANTITIES:
        values = " | ".join(f"{_number(one[each.name])} {each.unit}" for one in known)
        lines.append(f"| {_words(each.name)} | {each.how} | {values} |")
    lines += ["", "| Item | how | x price |", "| --- | --- | ---: |"]
    lines += [f"| {item.name} | {item.how} | {_price(book.prices[item.price])} |" for item in cost.ITEMS]
    return "\n".join(lines)


def measured_table() -> str:
    """Return what was measured, and what is counted in the templates."""
    names = {
        "seconds_per_row": ("microseconds a row", 10**6),
        "rows_per_learner": ("rows a learner", 1),
        "packed_bytes_per_row": ("packed bytes a row", 1),
        "peak_memory_mb": ("MB at most, of all stages", 1),
    }
    found = cost.measured()
    lines = ["| Measured | value |", "| --- | ---: |"]
    lines += [f"| {label} | {found[name] * factor:,.2f} |" for name, (label, factor) in names.items()]
    lines += ["", "| Counted in the templates | |", "| --- | ---: |"]
    return "\n".join([*lines, *(f"| {_words(name)} | {value:.0f} |" for name, value in cost.counted().items())])


def assumptions_table() -> str:
    """Return every number that nobody has measured."""
    lines = ["| Assumed | value | unit | why |", "| --- | ---: | --- | --- |"]
    for name, each in cost.read_book().assumptions.items():
        lines.append(f"| {_words(name)} | {each.value:,.12g} | {each.unit} | {each.why} |")
    return "\n".join(lines)


def prices_table() -> str:
    """Return every price, with where to look up the present one."""
    book = cost.read_book()
    lines = [f"| {book.currency}, {book.as_of} | per | of | look it up |", "| ---: | --- | --- | --- |"]
    for each in book.prices.values():
        page = each.look_up.rstrip("/").rpartition("/")[2]
        lines.append(f"| {_price(each)} | {each.per} | {each.what} | [{page}]({each.look_up}) |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE else f"{value:,.2f}"


def _words(name: str) -> str:
    return name.replace("_", " ").replace(" gb", " GB").replace("gb ", "GB-")


def _price(price: cost.Price) -> str:
    return f"{price.amount:.6f}".rstrip("0").rstrip(".")
