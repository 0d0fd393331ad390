"""The lines for PARTNER_EXTRACT, as Microsoft's page on the connector spells them."""

import pytest

from shared.domain.connection import Sftp
from shared.domain.partner_extract import lines_to_compare, lines_to_paste

PUBLIC = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mQGNBGRx
xyzAAA==
=Z93N
-----END PGP PUBLIC KEY BLOCK-----
"""
OWNER = "John Doe <john.doe@contoso.com>"


def paste(**changes: str) -> list[str]:
    values = {"partner_id": "ACME", "public_key": PUBLIC, "owner": OWNER, "email": "ops@contoso.com", **changes}
    return lines_to_paste(2, **values)


def test_the_lines_are_those_of_the_configuration() -> None:
    lines = paste()

    assert [line.partition("=")[0] for line in lines] == [
        "defaultJob.email",
        "partners2.partnerID",
        "partners2.encryptionKey",
        "partners2.keyOwner",
        "partners2.enabled",
    ]
    assert f"partners2.keyOwner={OWNER}" in lines
    assert "partners2.enabled=true" in lines


def test_the_key_is_one_line_without_its_frame_and_with_its_checksum() -> None:
    (key,) = [line for line in paste() if "encryptionKey" in line]
    value = key.partition("=")[2]

    assert value.startswith("mQGNBGRxxyzAAA===")
    assert value[-5] == "="
    assert "BEGIN" not in value
    assert "\n" not in value


@pytest.mark.parametrize("partner_id", ["", "12345678901"])
def test_an_id_that_does_not_fit_is_refused(partner_id: str) -> None:
    with pytest.raises(ValueError, match="at most 10"):
        paste(partner_id=partner_id)


def test_there_is_no_fourth_partner() -> None:
    with pytest.raises(ValueError, match="1 to 3"):
        lines_to_paste(4, partner_id="A", public_key=PUBLIC, owner=OWNER, email="a@b.example")


def test_what_has_to_agree_is_named_with_both_names() -> None:
    sftp = Sftp(host="sftp.example.com", user="acme", folder="/out/MVL", host_key="ssh-ed25519 AAAA")

    lines = lines_to_compare(1, sftp)

    assert any("connector.ftp.server" in line and "sftp.example.com" in line for line in lines)
    assert any("connector.ftp.userID" in line and "acme" in line for line in lines)
    assert any("defaultFtp.path" in line and "/out/MVL" in line for line in lines)
