"""Folders that are never half-written: built beside the old one, then swapped with it by renames."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OLD = ".old"


@contextmanager
def folder_written_whole(path: Path) -> Iterator[Path]:
    """Give an empty folder beside ``path``; put it in the place of ``path`` if the block ends well, remove it if not.

    What an interrupted run left beside ``path`` is cleared first, and the folder that it had put away is put back.

    Raises
    ------
    OSError
        As the file system does; ``path`` is then as it was. On Windows that is also when a file of the old folder is
        open in another program.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mend(path)
    token = secrets.token_hex(4)
    building = path.with_name(f".{path.name}.{token}")
    old = path.with_name(f".{path.name}.{token}{_OLD}")
    building.mkdir()
    try:
        yield building
        if path.exists():
            path.rename(old)
        building.rename(path)
    except OSError:
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def mend(path: Path) -> None:
    """Undo what a killed run left: put the folder back that it had moved away, remove what it was building."""
    ours = re.compile(re.escape(f".{path.name}.") + r"[0-9a-f]{8}(\.old)?")
    left = [found for found in path.parent.glob(f".{path.name}.*") if ours.fullmatch(found.name)]
    for found in left:
        if found.suffix == _OLD and not path.exists():
            found.rename(path)
        elif found.is_dir():
            shutil.rmtree(found, ignore_errors=True)
        else:
            found.unlink(missing_ok=True)
