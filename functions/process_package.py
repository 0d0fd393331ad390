"""When a package is processed: as soon as it is in `sealed/`."""

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blobs

from shared import wiring

triggers = func.Blueprint()


@triggers.blob_trigger(
    arg_name="package",
    path="sealed/{connection}/{version}/{name}",
    connection="AzureWebJobsStorage",
    source=func.BlobSource.EVENT_GRID,
)
def process_package(package: blobs.BlobClient) -> None:
    """Process the package whose turn it is; the one that has just come may have to wait for others."""
    from shared.pipeline.process_package import process_next  # noqa: PLC0415 - paid by those who run

    process_next(wiring.parts(), package.blob_name.partition("/")[0])
