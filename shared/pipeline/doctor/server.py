"""Whether the provider's server lets us in, and whether what lies there are packages. One login answers it all."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from zoneinfo import ZoneInfo

from shared.domain.errors import Code, ConnectorError
from shared.domain.markers import has_marker, is_marker, tell_unmarked
from shared.domain.package import PackageName
from shared.pipeline import journal
from shared.pipeline.doctor.check import Check, Exam, Patient
from shared.pipeline.doctor.file_names import suggest
from shared.ports import RemoteFile, RemoteFolder

_TOLD_NAMES = 3
_NAMES_MEND = (
    "Packages are called as in SuccessFactors, `Customer_F_YYYYMMDDHHMMSS.zip.pgp` with F, D or K. Rename what is one, "
    "or change `file_pattern` in the profile; what is none does no harm. For marker files, set sftp.done_suffix."
)


def examine_server(patient: Patient) -> Iterator[Check]:
    """Check the server, its host key, the login, the folder and the names in it."""
    server, host_key, login = patient.you("SFTP server"), patient.app("host key"), patient.app("SFTP login")
    where = patient.connection.sftp
    with ExitStack() as session:
        try:
            secret = patient.parts.secrets.get(where.secret)
            folder = session.enter_context(patient.parts.folders.open(patient.connection, secret))
        except ConnectorError as error:
            yield from _closed(patient, error)
            return
        yield server.passed(f"{where.host}:{where.port} answers.")
        yield host_key.passed("The server shows the pinned host key.")
        yield login.passed(f"The user in sftp.user may log in with its {where.login}.")
        yield from _examine_folder(patient, folder)


def _closed(patient: Patient, error: ConnectorError) -> Iterator[Check]:
    """Say how far we got: the server comes first, then its host key, then the login."""
    steps = [patient.you("SFTP server"), patient.app("host key"), patient.app("SFTP login")]
    reached = {Code.SERVER_UNREACHABLE: 0, Code.HOST_KEY_CHANGED: 1, Code.INVALID_CREDENTIALS: 2}
    at = reached.get(error.code) if error.code else None
    for number, exam in enumerate(steps):
        if number == (2 if at is None else at):
            yield exam.refused(error)
        elif at is not None and number < at:
            yield exam.passed("It went well up to the next step.")
        else:
            yield exam.skipped("Nobody got so far." if at is not None else "The login secret is not usable.")
    for name in ("folder rights", "file names"):
        yield patient.app(name).skipped("There was no login.")


def _examine_folder(patient: Patient, folder: RemoteFolder) -> Iterator[Check]:
    rights, names = patient.app("folder rights"), patient.app("file names")
    try:
        files = folder.list_files()
    except ConnectorError as error:
        yield rights.refused(error)
        yield names.skipped("The folder cannot be listed.")
        return
    yield rights.attempt(lambda: _rights(rights, folder, files, patient.connection.sftp.folder))
    yield names.attempt(lambda: _names(patient, names, files))


def _rights(exam: Exam, folder: RemoteFolder, files: Sequence[RemoteFile], where: str) -> Check:
    readable = next((file for file in files if file.size_bytes), None)
    if readable is None:
        return exam.passed(f"The folder {where!r} can be listed; there is no file in it to read.")
    try:
        # The last byte alone, for a server sends ahead of what was asked.
        for _ in folder.read(readable.name, offset_bytes=readable.size_bytes - 1, block_bytes=1):
            pass
    except FileNotFoundError:
        return exam.passed(f"The folder {where!r} can be listed; the file to be read has just gone.")
    return exam.passed(f"The folder {where!r} can be listed ({len(files)} files), and a file in it read.")


def _names(patient: Patient, exam: Exam, files: Sequence[RemoteFile]) -> Check:
    if not files:
        return exam.warned(
            "The folder is empty.",
            "Compare sftp.folder with `defaultFtp.path` and `partnersN.path` of PARTNER_EXTRACT, and see there that "
            "the partner is enabled. Hosted servers delete files after 14 days.",
        )
    profile = patient.parts.get_profile(patient.connection.profile)
    zone = ZoneInfo(patient.connection.source_time_zone)

    def parse(name: str) -> PackageName | None:
        return PackageName.parse(name, pattern=profile.pattern, zone=zone)

    suffix = patient.connection.sftp.done_suffix
    packages = {file.name: package for file in files if (package := parse(file.name))}
    strange = [
        file.name
        for file in files
        if file.name not in packages and not is_marker(file.name, suffix, lambda each: parse(each) is not None)
    ]
    told = []
    for name in strange[:_TOLD_NAMES]:
        meant = suggest(name, lambda tried: parse(tried) is not None, list(packages))
        told.append(f"{name} (did you mean {meant}?)" if meant else name)
    more = f" and {len(strange) - _TOLD_NAMES} more" if len(strange) > _TOLD_NAMES else ""
    unknown = f"These are no packages' names: {', '.join(told)}{more}." if strange else ""
    if not packages:
        return exam.failed(f"No file fits the profile {profile.name!r}. {unknown}", _NAMES_MEND, Code.NO_FILES_FOUND)
    customers = sorted({package.customer for package in packages.values()})
    if len(customers) > 1:
        return exam.warned(
            f"The folder holds packages of several customers: {', '.join(customers)}. {unknown}".strip(),
            "One connection reads one customer's packages: let every LMS write into a folder of its own.",
        )
    if strange:
        return exam.warned(f"{len(packages)} files fit the profile {profile.name!r}. {unknown}", _NAMES_MEND)
    here, seen = {file.name for file in files}, journal.get_files(patient.parts, patient.name)
    waiting = [
        name for name in packages if not has_marker(name, suffix, here) and not (name in seen and seen[name].is_fetched)
    ]
    if waiting:
        return exam.warned(tell_unmarked(waiting, str(suffix)), "A package without its marker is never taken.")
    return exam.passed(f"All {len(packages)} files fit the profile {profile.name!r}.")
