"""A tree of PDFs on disk, the shipped sample among them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.sources.base import Discovery, Fetched, Known, Listing, Outcome, Progress, compared, no_progress

_FOLDER = re.compile(r"(?P<urn>\d{5,8})[_ -]+(?P<authority>.+)")
_FILE = re.compile(r"(?P<title>.+?) - (?P<date>\d{1,2} [A-Za-z]{3,9} \d{4}|\d{4}-\d{2}-\d{2})(?: - .*)?")


def read_name(relative: str) -> tuple[str | None, str | None, str | None, date | None]:
    """URN, authority, title and date from ``<urn>_<authority>/<title> - <date>.pdf``; ``None`` for the rest.

    >>> read_name("80429_birmingham/children's services inspection - 23 may 2014.pdf")
    ('80429', 'birmingham', "children's services inspection", datetime.date(2014, 5, 23))
    """
    *folders, name = relative.split("/")
    folder = _FOLDER.fullmatch(folders[-1]) if folders else None
    file = _FILE.fullmatch(name.rpartition(".")[0])
    published = _date(file["date"]) if file else None
    return (
        folder["urn"] if folder else None,
        folder["authority"].strip() if folder else None,
        file["title"].strip() if file and published else None,
        published,
    )


def _date(text: str) -> date | None:
    for form in ("%d %B %Y", "%d %b %Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


class FolderSource:
    """Every ``*.pdf`` below a folder, however deep and whatever its name, sorted by path.

    Parameters
    ----------
    name : str
        The source's name in config.yaml.
    folder : pathlib.Path
        The folder itself.
    shown : str
        The folder as the user wrote it: the files' ``source_path`` begin with it.
    """

    def __init__(self, name: str, folder: Path, shown: str) -> None:
        self._name = name
        self._folder = folder
        self._shown = shown.replace("\\", "/").rstrip("/") or "/"

    @property
    def name(self) -> str:
        """The source's name in config.yaml."""
        return self._name

    def discover(
        self,
        known: Known,
        progress: Progress = no_progress,
        *,
        dry_run: bool = False,  # noqa: ARG002 - nothing is remembered anyway
    ) -> Discovery:
        """Walk the tree; read names, sizes and times, no file.

        Raises
        ------
        UsageError
            The folder is missing, is no folder, cannot be read, or has no PDF in it.
        """
        unreadable: list[str] = []
        found = [self._listing(relative, entry) for relative, entry in sorted(self._walk(unreadable))]
        if not found and not unreadable:
            raise UsageError(
                f"{self._folder} (source {self._name}) has no PDF in it or below it; "
                "put reports there or change the source's path."
            )
        progress("files found", len(found), len(found))
        discovery = compared(found, known, unreadable)
        if unreadable:
            # What lies in a folder that cannot be read is not gone.
            return Discovery(discovery.new, discovery.unchanged, (), discovery.doubts)
        return discovery

    def fetch(self, listings: Iterable[Listing], progress: Progress = no_progress) -> Iterator[Fetched]:
        """The files lie where they are: nothing to do."""
        for done, listing in enumerate(listings, start=1):
            yield Fetched(listing, Outcome.READY)
            progress("files at hand", done, None)

    def _listing(self, relative: str, entry: os.stat_result) -> Listing:
        urn, authority, title, published = read_name(relative)
        return Listing(
            source=self._name,
            source_path=f"{self._shown.rstrip('/')}/{relative}",
            title=title,
            urn=urn,
            authority=authority,
            published=published,
            file=self._folder / relative,
            size=entry.st_size,
            mtime_ns=entry.st_mtime_ns,
        )

    def _walk(self, unreadable: list[str]) -> Iterator[tuple[str, os.stat_result]]:
        """Relative path (with slashes) and status of every PDF; folders that cannot be read become sentences."""
        try:
            top = self._folder.stat()
            with os.scandir(self._folder):
                pass
        except FileNotFoundError as error:
            raise UsageError(
                f"{self._folder} (source {self._name}) does not exist; correct the source's path in config.yaml."
            ) from error
        except NotADirectoryError as error:
            raise UsageError(
                f"{self._folder} (source {self._name}) is a file, not a folder; `pipeline import` adds single files."
            ) from error
        except OSError as error:
            raise UsageError(
                f"{self._folder} (source {self._name}) cannot be read: {error.strerror}; "
                "give this user the right to read it."
            ) from error
        # A folder is entered once on a way down: a link to one of its own parents would never end.
        pending = [("", frozenset({(top.st_dev, top.st_ino)}))]
        while pending:
            below, parents = pending.pop()
            try:
                with os.scandir(self._folder / below) as entries:
                    for entry in entries:
                        relative = f"{below}{entry.name}"
                        if entry.name.startswith("."):
                            continue  # ours or an editor's: half-written files, metadata of other systems
                        if entry.is_dir():
                            status = Path(entry.path).stat()  # on Windows an entry's own status has no inode
                            inode = (status.st_dev, status.st_ino)
                            if inode not in parents:
                                pending.append((relative + "/", parents | {inode}))
                        elif entry.name.lower().endswith(".pdf") and entry.is_file():
                            yield relative, entry.stat()
            except OSError as error:
                unreadable.append(
                    f"{self._folder / below} (source {self._name}) cannot be read: {error.strerror}; "
                    "its reports were not looked at."
                )
