"""OpenPGP keys as people paste them: mended where the paste lost line breaks or the lines around the key."""

import base64
import binascii
import re
from dataclasses import dataclass, field

_BLOCK = re.compile(r"-----BEGIN PGP [A-Z ]+-----(.*?)-----END PGP [A-Z ]+-----", re.DOTALL)
_LOST_LINE_BREAK = re.compile(r"\s+|\\[rn]")
_BASE64 = re.compile(r"([A-Za-z0-9+/]+={0,2})(=[A-Za-z0-9+/]{4})?")
_LINE_LENGTH = 64

_SECRET_KEY = 5
_PUBLIC_KEY = 6
_KINDS = {_SECRET_KEY: "PRIVATE", _PUBLIC_KEY: "PUBLIC"}
_KEY_VERSIONS = {3, 4, 5, 6}


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """One OpenPGP key in clean armor."""

    is_secret: bool
    armored: str = field(repr=False)


def key_blocks(pasted: str) -> tuple[KeyBlock, ...]:
    r"""Read every key of a pasted text and armor it anew.

    Mends lost line breaks (none at all, spaces, or a literal `\n`) and lost `BEGIN` and `END` lines, drops
    header lines such as `Version:`. A checksum is kept where there is one, so that whoever reads the key
    notices a damaged paste.

    Raises:
        ValueError: there is no key in it. The message holds nothing of the text.
    """
    bodies = _BLOCK.findall(pasted) or [pasted]
    return tuple(_mend(body) for body in bodies)


def _mend(body: str) -> KeyBlock:
    """Armor the base64 text in it anew; what stands before the key's first byte are header lines."""
    text = _LOST_LINE_BREAK.sub("", body.strip("\ufeff"))
    for start in re.finditer("[lmx]", text):  # what the first byte of a key looks like in base64
        found = _BASE64.fullmatch(text, start.start())
        tag = _key_tag(found[1]) if found else None
        if found and tag in _KINDS:
            lines = [found[1][at : at + _LINE_LENGTH] for at in range(0, len(found[1]), _LINE_LENGTH)]
            checksum = [found[2]] if found[2] else []
            name = f"PGP {_KINDS[tag]} KEY BLOCK"
            whole = "\n".join([f"-----BEGIN {name}-----", "", *lines, *checksum, f"-----END {name}-----", ""])
            return KeyBlock(is_secret=tag == _SECRET_KEY, armored=whole)
    raise ValueError("there is no OpenPGP key in the text")


def _key_tag(data: str) -> int | None:
    """Return the tag of the first packet if it looks like a key; words of a header line do not."""
    try:
        head = base64.b64decode(data[: len(data) // 4 * 4], validate=True)[:8]
    except binascii.Error:
        return None
    if len(head) < 8 or len(data) % 4:  # noqa: PLR2004 - enough for the longest header and the version
        return None
    is_new_format = head[0] & 0x40
    if is_new_format:
        tag, length_octets = head[0] & 0x3F, {True: 1, False: 2}[head[1] < 192]  # noqa: PLR2004 - RFC 9580, 4.2.1
        length_octets = 5 if head[1] == 255 else length_octets  # noqa: PLR2004 - the same
    else:
        tag, length_octets = (head[0] & 0x3C) >> 2, (1, 2, 4, 0)[head[0] & 3]
    return tag if head[1 + length_octets] in _KEY_VERSIONS else None
