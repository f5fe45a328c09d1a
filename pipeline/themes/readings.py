"""What an encoder says of labelled paragraphs that it was not tuned on: what weights beside it may be fitted on.

An encoder is far too sure of the paragraphs that it was tuned on; weights fitted on those would trust it too much. So
the encoder that ships comes with the readings of one like it that was tuned without some authorities, for these
authorities' paragraphs, and with the list of all paragraphs that it has seen itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError
from pipeline.files import written_whole

if TYPE_CHECKING:
    import numpy as np

HELD_OUT = "held_out.npz"


@dataclass(frozen=True)
class EncoderReadings:
    """Readings of m paragraphs.

    Attributes
    ----------
    codes : tuple of str
        The encoder's k themes.
    vectors : float16 [m, at least 4 k]
        Rows of :func:`pipeline.themes.stacking.packed`; the vector part may be left out.
    """

    encoder_id: str
    codes: tuple[str, ...]
    fingerprints: tuple[str, ...]
    vectors: np.ndarray[Any, Any]

    def of(self, fingerprints: Sequence[str]) -> np.ndarray[Any, Any]:
        """Rows of these paragraphs."""
        place = {key: i for i, key in enumerate(self.fingerprints)}
        rows: np.ndarray[Any, Any] = self.vectors[[place[key] for key in fingerprints]]
        return rows


@dataclass(frozen=True)
class HeldOut:
    """The file beside an encoder: readings by one like it of paragraphs it was not tuned on, and what it has seen."""

    codes: tuple[str, ...]
    fingerprints: tuple[str, ...]
    vectors: np.ndarray[Any, Any]
    seen: frozenset[str]


def write_held_out(folder: Path, held_out: HeldOut) -> None:
    """Write the file into an encoder's folder."""
    import numpy as np

    with written_whole(folder / HELD_OUT) as temporary:
        np.savez_compressed(
            temporary,
            codes=np.array(held_out.codes),
            fingerprints=np.array(held_out.fingerprints, dtype="S12"),
            vectors=held_out.vectors.astype(np.float16),
            seen=np.array(sorted(held_out.seen), dtype="S12"),
        )


def read_held_out(folder: Path) -> HeldOut:
    """Read it; raises :class:`PipelineError` where it is missing or damaged."""
    import zipfile

    import numpy as np

    path = folder / HELD_OUT
    try:
        with np.load(path, allow_pickle=False) as file:
            held_out = HeldOut(
                tuple(str(code) for code in file["codes"]),
                tuple(key.decode("ascii") for key in file["fingerprints"].tolist()),
                file["vectors"],
                frozenset(key.decode("ascii") for key in file["seen"].tolist()),
            )
    except (OSError, KeyError, ValueError, AttributeError, zipfile.BadZipFile, EOFError) as error:
        raise PipelineError(
            f"{path} cannot be used ({' '.join(str(error).split())[:120]}); restore the folder."
        ) from None
    if held_out.vectors.ndim != 2 or len(held_out.vectors) != len(held_out.fingerprints):
        raise PipelineError(f"{path} is damaged: its parts do not fit each other; restore the folder.")
    return held_out


def encoder_readings(
    folder: Path,
    encoder_id: str,
    fingerprints: Sequence[str],
    texts: Sequence[str],
    encode: Callable[[Sequence[str]], np.ndarray[Any, Any]],
) -> EncoderReadings:
    """Readings of those of the labelled paragraphs that may be fitted on: held out before, or labelled since.

    Parameters
    ----------
    folder : Path
        The encoder's.
    encode : callable
        Gives rows of :func:`pipeline.themes.stacking.packed` for texts, from a cache if there is one; asked only for
        paragraphs that the encoder has not seen.
    """
    import numpy as np

    held_out = read_held_out(folder)
    wanted = set(fingerprints)
    width = 4 * len(held_out.codes)
    known = [i for i, key in enumerate(held_out.fingerprints) if key in wanted]
    before = set(held_out.fingerprints) | held_out.seen
    new = [(key, text) for key, text in zip(fingerprints, texts, strict=True) if key not in before]
    rows = [held_out.vectors[known][:, :width]]
    if new:
        rows.append(encode([text for _, text in new])[:, :width])
    keys = [held_out.fingerprints[i] for i in known] + [key for key, _ in new]
    return EncoderReadings(encoder_id, held_out.codes, tuple(keys), np.vstack(rows).astype(np.float16))
