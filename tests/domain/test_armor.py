"""Keys are pasted into web forms, terminals and JSON; each of them loses something else."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.armor import key_blocks

BODY = bytes([4]) + bytes(range(256)) * 2  # a version, and what follows it; nobody looks further here
SECRET = b"\x95" + len(BODY).to_bytes(2) + BODY
PUBLIC = b"\x99" + len(BODY).to_bytes(2) + BODY


def armor(packet: bytes = SECRET, kind: str = "PRIVATE", headers: str = "", checksum: str = "=abcd\n") -> str:
    text = base64.encodebytes(packet).decode().replace("\n", "")
    lines = "\n".join(re.findall(".{1,64}", text))
    return f"-----BEGIN PGP {kind} KEY BLOCK-----\n{headers}\n{lines}\n{checksum}-----END PGP {kind} KEY BLOCK-----\n"


CLEAN = armor()


def test_a_clean_key_stays_as_it_is() -> None:
    assert [block.armored for block in key_blocks(CLEAN)] == [CLEAN]


@pytest.mark.parametrize("headers", ["Version: BCPG C# v1.6.1.0\n", "Version: GnuPG v2\nComment: mail example lx\n"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", " ", "", "\\n", "\\r\\n", "\n\n", "\n   "])
def test_lost_line_breaks_are_mended(headers: str, line_break: str) -> None:
    pasted = armor(headers=headers).replace("\n", line_break)

    assert [block.armored for block in key_blocks(pasted)] == [CLEAN]


@pytest.mark.parametrize("line_break", ["\n", " ", "", "\\n"])
def test_a_body_alone_is_armored(line_break: str) -> None:
    """Older set-ups ask for the key without its first and last line."""
    body = line_break.join(CLEAN.splitlines()[2:-1])

    assert [block.armored for block in key_blocks(f"\ufeff {body}\n")] == [CLEAN]


def test_a_checksum_may_be_missing() -> None:
    without = armor(checksum="")

    assert [block.armored for block in key_blocks(without)] == [without]


@pytest.mark.parametrize("length", [510, 511, 512])
def test_padding_is_told_from_the_checksum(length: int) -> None:
    packet = b"\x95" + length.to_bytes(2) + b"\4" + bytes(length - 1)

    for checksum in ("=abcd\n", ""):
        whole = armor(packet, checksum=checksum)
        assert [block.armored for block in key_blocks("".join(whole.splitlines()[1:-1]))] == [whole]


@pytest.mark.parametrize(
    ("packet", "is_secret"),
    [
        (SECRET, True),
        (PUBLIC, False),
        (b"\x94\xff" + BODY[:255], True),
        (b"\x96" + len(BODY).to_bytes(4) + BODY, True),
        (b"\xc5\x60" + BODY[:96], True),
        (b"\xc5\xc1\x41" + BODY, True),
        (b"\xc5\xff" + len(BODY).to_bytes(4) + BODY, True),
        (b"\xc6\x60" + BODY[:96], False),
    ],
)
def test_secret_and_public_keys_are_told_apart(packet: bytes, is_secret: bool) -> None:  # noqa: FBT001 - a case
    assert [block.is_secret for block in key_blocks(base64.b64encode(packet).decode())] == [is_secret]


def test_several_keys_may_stand_in_one_text() -> None:
    """The sender's public key stands beside one's own, so that signatures can be checked."""
    blocks = key_blocks(CLEAN + "and the sender's:\n" + armor(PUBLIC, "PUBLIC"))

    assert [block.is_secret for block in blocks] == [True, False]


def test_a_key_shows_nothing_of_itself() -> None:
    assert CLEAN.splitlines()[3] not in repr(key_blocks(CLEAN))


@pytest.mark.parametrize(
    "text", ["", "opensesame", "lxm" * 100, "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", CLEAN[:400] + "!"]
)
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^there is no OpenPGP key in the text$"):
        key_blocks(text)


@given(st.text() | st.text(alphabet="lmxQ0=/+ \n"))
def test_any_text_is_either_a_key_or_none(text: str) -> None:
    try:
        blocks = key_blocks(text)
    except ValueError:
        return
    assert blocks
