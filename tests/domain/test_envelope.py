"""What stands outside a message comes from strangers; whatever it says, the answer is a refusal in words."""

import base64
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.envelope import ANYONE, HEAD_BYTES, read_envelope, read_head
from shared.domain.errors import Code, PackageError

KEY_ID = bytes(range(0x11, 0x99, 0x11))
PROTECTED = b"\xd2\x05\x01abcd"
UNPROTECTED = b"\xc9\x04abcd"


def sealed_for(body: bytes, *, header: bytes | None = None) -> bytes:
    return (header or b"\x84" + len(body).to_bytes(1)) + body


@pytest.mark.parametrize(
    ("packet", "key_id"),
    [
        (sealed_for(b"\3" + KEY_ID + b"\1rest"), "1122334455667788"),
        (sealed_for(b"\3" + bytes(8) + b"\1rest"), ANYONE),
        (sealed_for(b"\3" + KEY_ID + bytes(300), header=b"\x85\x01\x35"), "1122334455667788"),
        (sealed_for(b"\3" + KEY_ID + bytes(4), header=b"\xc1\x0d"), "1122334455667788"),
        (sealed_for(b"\3" + KEY_ID + bytes(291), header=b"\xc1\xc0\x6c"), "1122334455667788"),
        (sealed_for(b"\3" + KEY_ID + bytes(4), header=b"\xc1\xff\0\0\0\x0d"), "1122334455667788"),
        (sealed_for(b"\6\x15\x04" + bytes(12) + KEY_ID + b"\x19rest"), "1122334455667788"),
        (sealed_for(b"\6\x21\x06" + KEY_ID + bytes(24) + b"\x19rest"), "1122334455667788"),
        (sealed_for(b"\6\0\x19rest"), ANYONE),
    ],
)
def test_recipients_are_read_in_every_form(packet: bytes, key_id: str) -> None:
    """Old and new headers, versions 3 and 6, keys of version 4 and 6, and hidden ones."""
    envelope = read_envelope(b"\xca\x03PGP" + packet + packet + PROTECTED)

    assert envelope.key_ids == (key_id, key_id)


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
def test_armor_is_read(line_break: bytes) -> None:
    message = sealed_for(b"\3" + KEY_ID + b"\1rest") + PROTECTED
    body = base64.b64encode(message)
    lines = [b"-----BEGIN PGP MESSAGE-----", b"Version: BCPG C# v1.6.1.0", b"", body[:20], body[20:], b"=abcd", b"---"]

    assert read_envelope(line_break.join(lines)).key_ids == ("1122334455667788",)


def test_what_is_open_to_change_is_refused() -> None:
    for content in (sealed_for(b"\3" + KEY_ID + b"\1rest") + UNPROTECTED, b"\xcb\x02b\0", b"\xa3\x01rest"):
        with pytest.raises(PackageError) as refused:
            read_envelope(content)
        assert refused.value.code is Code.PACKAGE_UNPROTECTED


class Trickle(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 1000))


def test_the_head_is_read_whole_even_from_a_slow_stream() -> None:
    assert len(read_head(Trickle(bytes(HEAD_BYTES + 1)))) == HEAD_BYTES
    assert len(read_head(Trickle(bytes(5)))) == 5


@given(st.binary() | st.binary().map(lambda rest: b"\x84\x0d\x03" + rest))
def test_any_bytes_are_read_or_refused(head: bytes) -> None:
    try:
        envelope = read_envelope(head)
    except PackageError as error:
        assert error.code in {Code.NOT_OPENPGP, Code.PACKAGE_DAMAGED, Code.PACKAGE_UNPROTECTED}  # noqa: PT017 - one of two good ends
    else:
        assert all(len(key_id) == 16 for key_id in envelope.key_ids)
