"""Marker files: a provider that writes one beside each package says with it that the package is complete."""

from collections.abc import Callable, Collection, Sequence

_TOLD = 3


def is_marker(file: str, suffix: str | None, is_package: Callable[[str], bool]) -> bool:
    """Tell whether a file is the marker of a package, whether that is still there or not."""
    return suffix is not None and file.endswith(suffix) and is_package(file.removesuffix(suffix))


def has_marker(file: str, suffix: str | None, files: Collection[str]) -> bool:
    """Tell whether a package's marker is among the files, or needs not be."""
    return suffix is None or f"{file}{suffix}" in files


def tell_unmarked(packages: Sequence[str], suffix: str) -> str:
    """Say which packages cannot be taken for want of their markers; nothing where there are none."""
    if not packages:
        return ""
    told = ", ".join(packages[:_TOLD])
    more = f" and {len(packages) - _TOLD} more" if len(packages) > _TOLD else ""
    are = "is in the folder without its marker file" if len(packages) == 1 else "are in the folder without marker files"
    return (
        f"{told}{more} {are} ({suffix}), so the upload is taken for unfinished, and newer packages wait. Have the "
        "marker written, or change sftp.done_suffix if no markers come."
    )
