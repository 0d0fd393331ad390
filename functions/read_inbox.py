"""When a file with records for the LMS is read: as soon as it is in `inbox/`."""

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blobs

from shared import wiring

triggers = func.Blueprint()


@triggers.blob_trigger(
    arg_name="file",
    path="inbox/{connection}/{name}",
    connection="AzureWebJobsStorage",
    source=func.BlobSource.EVENT_GRID,
)
def read_inbox(file: blobs.BlobClient) -> None:
    """Read the files of the connection's inbox, this one among them."""
    from shared.pipeline.write_back import read_inbox as use_case  # noqa: PLC0415 - paid by those who run

    use_case.read_inbox(wiring.parts(), file.blob_name.partition("/")[0], file.blob_name)
