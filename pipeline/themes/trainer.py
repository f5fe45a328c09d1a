"""Training of the sentence encoder: what is learned from which labels, at which rates."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tokenizers
import torch
from scipy.special import expit
from torch import Tensor, nn
from torch.nn import functional

from pipeline.domain import VALENCES
from pipeline.themes.encoder import TOKENIZER_FILE
from pipeline.themes.examples import Example
from pipeline.themes.network import ThemeNetwork
from pipeline.themes.softening import left_out_readings, softened
from pipeline.themes.taxonomy import Taxonomy

log = logging.getLogger(__name__)

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
    """How the encoder is trained; the shipped one nearly so, its card says where not."""

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
        self.tokens = tokens_of([example.text for example in examples], base / TOKENIZER_FILE, settings.max_tokens)
        self.present, self.valence = targets(examples, codes)

    def train(self, chosen: Sequence[int], cycle: Cycle, number: int, left_out: np.ndarray | None = None) -> None:
        """Go over the chosen examples as the cycle says.

        Parameters
        ----------
        number : int
            Of the cycle: with the seed it says what is drawn, so that training taken up again draws the same.
        left_out : float [len(chosen), k], optional
            :meth:`left_out` of the chosen examples; needed where the cycle softens its targets.
        """
        settings, network = self.settings, self.network
        shuffler = random.Random(f"{settings.seed} {number}")  # noqa: S311 - a shuffle, no secret
        network.drop.generator = np.random.Generator(np.random.SFC64([settings.seed, number]))
        wanted = self.present
        if cycle.softened:
            assert left_out is not None
            wanted = self.present.copy()
            wanted[chosen] = softened(self.present[chosen], self._own_readings(chosen), left_out)
        optimiser = torch.optim.AdamW(self._groups(cycle), fused=True)
        steps = cycle.epochs * len(self._shuffled(chosen, shuffler))
        warm = max(1, round(settings.warm_up * steps))

        def rate(step: int) -> float:
            return min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, rate)
        weight = torch.full((network.themes,), settings.positive_weight)
        started = time.monotonic()
        for epoch in range(1, cycle.epochs + 1):
            network.train()
            losses = []
            for batch in self._shuffled(chosen, shuffler):
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

    def left_out(self, chosen: Sequence[int]) -> np.ndarray:
        """What the classifier says of the chosen examples, their authorities left out: float [len(chosen), k].

        Raises
        ------
        UsageError
            The labels are nearly all of one valence.
        """
        rows = np.array(chosen)
        return left_out_readings(
            [self.examples[i].text for i in chosen],
            self.present[rows] > 0,
            np.where(self.valence[rows] == NO_VALENCE, -1, self.valence[rows]),
            [self.examples[i].authority for i in chosen],
            self.codes,
            self.taxonomy,
            self.settings.seed,
        )

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

    def _shuffled(self, chosen: Sequence[int], shuffler: random.Random) -> list[list[int]]:
        """Batches of like length (sorted within twenty batches' worth, then shuffled): little is padded."""
        order = list(chosen)
        shuffler.shuffle(order)
        size = self.settings.batch
        batches = []
        for start in range(0, len(order), 20 * size):
            like = sorted(order[start : start + 20 * size], key=lambda i: len(self.tokens[i]))
            batches += [like[i : i + size] for i in range(0, len(like), size)]
        shuffler.shuffle(batches)
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
