"""The doctor: looks at everything a connection needs, and says what to mend.

Nothing is changed, but for what it writes to see whether it can, and takes away again at once (`storage`). A check that
fails stops no other one; what cannot be checked because of it is skipped and says so.
"""

from collections.abc import Iterator, Sequence

from shared.domain.errors import ConnectorError
from shared.pipeline import journal
from shared.pipeline.doctor.check import About, Check, Exam, Patient, Result
from shared.pipeline.doctor.directory import examine_directory
from shared.pipeline.doctor.graph import examine_graph
from shared.pipeline.doctor.keys import examine_keys
from shared.pipeline.doctor.secrets import examine_vault
from shared.pipeline.doctor.server import examine_server
from shared.pipeline.doctor.standing import examine_standing
from shared.pipeline.doctor.storage import examine_storage
from shared.pipeline.doctor.way_back import examine_way_back
from shared.pipeline.parts import Parts

__all__ = ["About", "Check", "Result", "examine"]


def examine(parts: Parts, names: Sequence[str]) -> Iterator[Check]:
    """Check the storage and these connections."""
    yield from examine_storage(parts)
    for name in names:
        yield from _examine_connection(parts, name)
    if not names:
        yield Exam("connection", About.APP).failed(
            "There is no connection yet.", "Write one; see First steps in docs/connection.md."
        )


def _examine_connection(parts: Parts, name: str) -> Iterator[Check]:
    exam = Exam("connection", About.APP, name)
    try:
        connection = journal.get_connection(parts, name)
        parts.get_profile(connection.profile)
    except ConnectorError as error:
        yield exam.refused(error)
        for other in ("vault access", "SFTP server", "PGP pair", "Graph access", "directory coverage", "schedule"):
            yield Exam(other, About.APP, name).skipped("The connection is not valid.")
        return
    yield exam.passed(f"Its document is valid; the profile is {connection.profile!r}.")
    patient = Patient(parts, name, connection, parts.clock())
    yield from examine_vault(patient)
    yield from examine_server(patient)
    yield from examine_keys(patient)
    yield from examine_graph(patient)
    yield from examine_directory(patient)
    yield from examine_way_back(patient)
    yield from examine_standing(patient)
