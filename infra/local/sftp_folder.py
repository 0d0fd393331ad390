"""The folder that the provider's server shows, always under the same path."""

import os
import shutil
from pathlib import Path


class SftpFolder:
    """Shows somebody's folder while it is lent, and what was in it afterwards.

    A lent folder is a link, so that what happens in it meanwhile is seen, as at a real provider. What is kept
    are hard links where the file system allows them: a package of 2 GiB takes no second place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_symlink():
            path.mkdir(parents=True, exist_ok=True)

    def show(self, folder: Path) -> None:
        """Show this folder from now on; it may be missing."""
        target = folder.absolute()
        if target == self.path.absolute():
            return
        self._remove(self.path)
        self.path.symlink_to(target, target_is_directory=True)

    def keep(self) -> None:
        """Keep what the lent folder holds; one that is missing is shown as missing the next time, too."""
        if not (self.path.is_symlink() and self.path.is_dir()):
            return
        fresh = self.path.with_name(f"{self.path.name}.new")
        self._remove(fresh)
        shutil.copytree(self.path, fresh, copy_function=_link_or_copy, ignore_dangling_symlinks=True)
        self.path.unlink()
        fresh.rename(self.path)

    @staticmethod
    def _remove(path: Path) -> None:
        if path.is_symlink():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)


def _link_or_copy(source: str, target: str) -> str:
    """Link the file, or copy it with its times: they are what the connector knows a file by."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
