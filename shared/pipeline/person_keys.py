"""Person ids as keyed hashes, as SQL expressions on `v`, the trimmed text of an id, null when empty.

Beside the hash of the id as it stands there are its forms: hashes of what the rules of `shared.domain.matching` leave
of it. Only those rules are tried that would change the id, so that most ids have none; and as they are there whatever
the connection's rules are, a change of these needs no package to be read again.
"""

from shared.pipeline.engine import text

_SPACES = r"\s\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
"""The blanks of Unicode, written out: to prepare its classes takes milliseconds each, whatever is read."""
_PLAIN = "[1-9A-Za-z][0-9A-Za-z]*"
_ZEROS = "0+[1-9A-Za-z][0-9A-Za-z]*"
_SIGNS = "[1-9A-Za-z][!-~]*"
"""Ids that hardly cost anything to look through: no rule changes the first kind, one rule each the others."""


def person_norm(v: str) -> str:
    """Return SQL that brings a person key into the form in which both sides are compared.

    Trimmed, NFC, case-folded; zeros stay. The engine has no full case folding, so the two letters whose folding
    differs from lower case in ids seen so far are replaced.
    """
    return f"nfc_normalize(replace(replace(lower(nfc_normalize({v})), 'ß', 'ss'), 'ς', 'σ'))"  # noqa: RUF001 - Greek is meant


def person_key(v: str) -> str:
    """Return SQL for the keyed hash of a person key."""
    return f"keyed('person', {person_norm(v)})"


def person_forms(v: str) -> str:
    """Return SQL for the forms of a person key: a list of hashes, null where no rule changes it.

    At the place of a set of rules (see `matching.BITS`) is the hash of what they leave. The list is as long as the
    largest set of rules that change the id; places of sets with any other rule, or that leave nothing, are null.
    """
    # Of ASCII the normal form is lower case.
    zeros, bare = f"lower(ltrim({v}, '0'))", f"lower({_without('[^0-9A-Za-z]', v)})"
    return (
        f"case when regexp_full_match({v}, {text(_PLAIN)}) then null "
        f"when regexp_full_match({v}, {text(_ZEROS)}) then [keyed('person', {zeros})] "
        f"when regexp_full_match({v}, {text(_SIGNS)}) then [null, null, null, keyed('person', {bare})] "
        f"else list_transform([{person_norm(v)}], lambda n: {_all_forms()})[1] end"
    )


def _all_forms() -> str:
    """Return SQL for the forms of the normal form `n`, however it is written."""
    unsigned = _without(rf"[^\p{{L}}\p{{N}}{_SPACES}]", "n")
    parts = f"{{unspaced: {_without(f'[{_SPACES}]', 'n')}, unsigned: {unsigned}}}"
    bare = _without(f"[{_SPACES}]", "p.unsigned")
    changing = "starts_with(bare, '0')::int + 2 * (p.unspaced <> n)::int + 4 * (p.unsigned <> n)::int"
    left = "trim(case rules & 6 when 0 then n when 2 then p.unspaced when 4 then p.unsigned else bare end)"
    left = f"nullif(case when rules & 1 > 0 then ltrim({left}, '0') else {left} end, '')"
    each = f"case when rules & changing = rules then keyed('person', {left}) end"
    forms = f"list_transform(range(1, changing + 1), lambda rules: {each})"
    forms = f"list_transform([{changing}], lambda changing: case when changing > 0 then {forms} end)[1]"
    return f"list_transform([{parts}], lambda p: list_transform([{bare}], lambda bare: {forms})[1])[1]"


def _without(what: str, v: str) -> str:
    return f"regexp_replace({v}, {text(what)}, '', 'g')"


def key_under(rules: int, key: str, forms: str) -> str:
    """Return SQL for the hash by which an id is compared under some rules, from its own hash and its forms.

    An id of which they leave nothing is compared as it stands.
    """
    return f"coalesce({forms}[len({forms}) & {rules}], {key})" if rules else key
