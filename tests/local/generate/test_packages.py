"""Whole packages, the keys they are sealed for, and the command that writes them."""

import os
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from infra.local.generate import KeyFiles, Kind, Options, SealingError, generate, make_keys, write_package
from infra.local.generate.cli import generate_command
from infra.local.generate.tables import PRIMARY_KEYS
from tests.local.generate.reader import DAY, Reader, by_key, rows_of, state_of


def test_a_full_package_holds_a_file_for_every_table(reader: Reader, keys: KeyFiles) -> None:
    generated = generate(reader.out, Options(day=DAY, key=keys.public))

    assert [package.name for package in generated.packages] == ["acme_F_20261105000000.zip.pgp"]
    files = reader.files(generated.packages[0])
    assert list(files) == [f"{table}.csv" for table in PRIMARY_KEYS]
    assert all(content.startswith(PRIMARY_KEYS[name[:-4]][0].encode()) for name, content in files.items())
    assert len(rows_of(files["PV_PARTNER_STUDENT.csv"])) == 500 + 10 + 4


@pytest.mark.slow
def test_a_delta_and_its_keys_turn_yesterday_into_today(reader: Reader, keys: KeyFiles) -> None:
    """The whole point of keeping days apart: what a receiver computes from deltas equals the next full."""
    options = Options(day=DAY, kinds=(Kind.FULL, Kind.DELTA), key=keys.public)
    full, delta, keys_package = (reader.files(package) for package in generate(reader.out, options).packages)
    today = state_of(options, DAY)

    for table in PRIMARY_KEYS:
        known = by_key(table, rows_of(full[f"{table}.csv"]))
        known |= by_key(table, rows_of(delta.get(f"{table}.csv", b"")))
        alive = set(by_key(table, rows_of(keys_package[f"{table}_K.csv"])))
        assert {key: row for key, row in known.items() if key in alive} == by_key(table, today[table])


def test_a_key_pair_is_made_once_and_the_private_half_is_private(keys: KeyFiles) -> None:
    made = KeyFiles.within(keys.private.parent)
    before = made.private.read_bytes()

    assert make_keys(keys.private.parent) == made
    assert made.private.read_bytes() == before
    assert {file.stat().st_mode & 0o777 for file in (made.private, made.passphrase)} == {0o600}


def test_a_key_that_is_none_leaves_no_package(tmp_path: Path) -> None:
    """Also while DuckDB is in the middle of writing into the pipe."""
    noise = tmp_path / "noise.asc"
    noise.write_text("no key")

    with pytest.raises(SealingError, match="no valid OpenPGP data"):
        generate(tmp_path, Options(day=DAY, key=noise, assignments=50_000))

    assert list((tmp_path / "sftp").iterdir()) == []


def test_a_package_of_ones_own_holds_just_these_bytes(reader: Reader, keys: KeyFiles) -> None:
    package = reader.out / "own.zip.pgp"
    write_package(package, {"A.csv": b"X\n1\n", "sub/B.txt": b"\xff"}, keys.public)

    assert reader.files(package) == {"A.csv": b"X\n1\n", "sub/B.txt": b"\xff"}
    assert [file.name for file in reader.out.iterdir()] == ["own.zip.pgp"]


def test_the_command_line_says_what_it_wrote_and_what_to_try_next(tmp_path: Path, keys: KeyFiles) -> None:
    app = typer.Typer()
    app.command()(generate_command)
    folder = tmp_path / "keys"
    folder.mkdir()
    for file in (keys.private, keys.public, keys.passphrase):
        os.link(file, folder / file.name)

    arguments = "--day 2026-11-03 --kind delta --customer beta --time 02:00:00 --learners 9 --items 5"
    result = CliRunner().invoke(app, [str(tmp_path), *arguments.split()])

    assert result.exit_code == 0, result.output
    assert {file.name for file in (tmp_path / "sftp").iterdir()} == {
        "beta_D_20261103020000.zip.pgp",
        "beta_K_20261103033000.zip.pgp",
    }
    command = shlex.split(result.output.splitlines()[-1])
    assert command[:4] == ["python", "-m", "infra.local", "sync"]
    assert command[command.index("--private-key") + 1] == str(folder / "private.asc")
    assert CliRunner().invoke(app, [str(tmp_path), "--defects", "nonsense"]).exit_code == 2
