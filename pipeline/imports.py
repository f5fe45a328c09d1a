"""``pipeline import``: PDFs from anywhere, copied into the corpus folder where every later run finds them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import PipelineError, UsageError
from pipeline.files import safe_name, sha256_of, written_whole

IMPORTED = "imported"
"""The name of the source, and of the folder below ``corpus``, that imported files live in."""


@dataclass
class Imported:
    """What was added and what was held already, by the paths given."""

    folder: Path
    added: list[Path] = field(default_factory=list)
    held: list[Path] = field(default_factory=list)


def import_files(config: Config, paths: Iterable[Path]) -> Imported:
    """Copy every PDF named, and every one below a folder named, unless the same content is there.

    The name of a file and of its folder are kept, made safe: they may say whose report it is and of when.

    Raises
    ------
    UsageError
        If a path does not exist, or nothing named is a PDF by its name.
    PipelineError
        If a file cannot be read or copied; those before it stay.
    """
    result = Imported(config.corpus / IMPORTED)
    files = list(dict.fromkeys(_pdfs(paths)))
    if not files:
        raise UsageError("There is no file ending in .pdf in what was named; name PDFs or folders of them.")
    try:
        held = {sha256_of(file) for file in result.folder.rglob("*") if file.is_file()}
        for file in files:
            content = sha256_of(file)
            if content in held:
                result.held.append(file)
                continue
            target = result.folder / safe_name(file.absolute().parent.name) / f"{safe_name(file.stem)}.pdf"
            if target.exists():
                target = target.with_name(f"{target.stem} - {content[:8]}.pdf")
            with written_whole(target) as temporary:
                shutil.copyfile(file, temporary)
            held.add(content)
            result.added.append(file)
    except OSError as error:
        raise PipelineError(
            f"{error.filename or 'A file'} cannot be imported ({error.strerror}); mend that and import again."
        ) from error
    return result


def _pdfs(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.suffix.lower() == ".pdf" and file.is_file())
        elif path.is_file():
            yield path
        else:
            raise UsageError(f"There is no file or folder {path}; check the path.")
