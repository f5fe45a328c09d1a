"""The sentence encoder tuned to inspection reports: from a paragraph's text to its vector and a first reading of its
themes.

The model is a graph in ONNX (data: loading it runs no code of its makers), quantised to 8 bits, beside its tokenizer
and a file of facts. It is made by :mod:`pipeline.themes.finetune`; PyTorch is not needed here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.domain import VALENCES
from pipeline.errors import PipelineError
from pipeline.files import sha256_of

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    import tokenizers

GRAPH_FILE = "encoder.onnx"
TOKENIZER_FILE = "tokenizer.json"
FACTS_FILE = "encoder.json"

FORMAT = 1
"""Version of the folder's layout and of the graph's inputs and outputs."""

GRAPH_INPUTS = ("input_ids", "attention_mask")
GRAPH_OUTPUTS = ("vector", "theme_logit", "valence_logit")

_SLOW_FUSION = "SkipLayerNormFusion"
"""Joins the additions and normalisations that the graph keeps apart, because joined they take twice as long."""

LARGEST_FILE = 500_000_000
"""Bytes. A larger file is no encoder of ours, and reading it would only fill the memory."""


class EncoderFacts(BaseModel):
    """What ``encoder.json`` says about the files beside it.

    ``codes`` are the themes that the encoder was tuned on, in the order of its outputs; a taxonomy may since have
    gained or lost some.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    name: str = Field(min_length=1, max_length=20, pattern=r"^[a-z0-9-]+$")
    base: str
    graph_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    tokenizer_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    max_tokens: int = Field(ge=8, le=512)
    vector_size: int = Field(ge=1, le=4096)
    codes: tuple[str, ...] = Field(min_length=1)
    valences: tuple[str, ...]

    @property
    def encoder_id(self) -> str:
        """Names this very encoder, e.g. in the store's cache: its name and the start of its graph's checksum."""
        return f"{self.name}-{self.graph_sha256[:12]}"


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder makes of n texts.

    Attributes
    ----------
    vectors : float32 [n, d]
        Mean and maximum of the tokens' last hidden states, joined.
    theme_probability : float32 [n, k]
        The encoder's own reading, one sigmoid a theme. Not calibrated.
    valence : float32 [n, k, 3]
        Probabilities of ``+``, ``-`` and ``0`` (:data:`~pipeline.domain.VALENCES`) for each theme, given that the theme
        is there.
    codes : tuple of str
        The k themes.
    """

    vectors: np.ndarray
    theme_probability: np.ndarray
    valence: np.ndarray
    codes: tuple[str, ...]


class Encoder:
    """A loaded encoder. :meth:`load` makes one; it may be shared between threads."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        tokenizer: tokenizers.Tokenizer,
        facts: EncoderFacts,
        threads: int,
    ) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self.facts = facts
        self.threads = threads

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> Encoder:
        """Read an encoder's folder and check that its files belong together.

        Parameters
        ----------
        folder : Path
            Holds ``encoder.onnx``, ``tokenizer.json`` and ``encoder.json``.
        threads : int or None
            Texts encoded side by side; None: one a core that this process may use.

        Raises
        ------
        PipelineError
            A file is missing, is not what its checksum says, or is not an encoder that this version can run.
        """
        facts = read_facts(folder)
        graph = _checked(folder / GRAPH_FILE, facts.graph_sha256)
        tokenizer_file = _checked(folder / TOKENIZER_FILE, facts.tokenizer_sha256)

        import onnxruntime
        import tokenizers

        try:
            # The library raises a bare Exception on text that is no tokenizer.
            tokenizer = tokenizers.Tokenizer.from_str(tokenizer_file.read_text(encoding="utf-8"))
        except Exception as error:
            raise PipelineError(f"{tokenizer_file} is not a tokenizer that can be read: {_short(error)}.") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(facts.max_tokens)

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            # From bytes, so that the graph cannot name other files of this machine as its data.
            session = onnxruntime.InferenceSession(
                graph.read_bytes(), options, providers=["CPUExecutionProvider"], disabled_optimizers=[_SLOW_FUSION]
            )
        except Exception as error:  # onnxruntime's errors share no base class of their own
            raise PipelineError(f"{graph} is not a model that onnxruntime can read: {_short(error)}.") from error
        _check_shape(session, facts, graph)
        return cls(session, tokenizer, facts, threads or _usable_cores())

    @property
    def encoder_id(self) -> str:
        """As the facts name it."""
        return self.facts.encoder_id

    @property
    def codes(self) -> tuple[str, ...]:
        """The themes it was tuned on, in the order of its outputs."""
        return self.facts.codes

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode texts; longer ones than ``max_tokens`` are read up to there.

        Each text is run by itself, several side by side: with 8-bit activations a batch shares one scale, so a text's
        numbers would depend on its neighbours; and nothing is padded.
        """
        import numpy as np

        n, k = len(texts), len(self.codes)
        vectors = np.empty((n, self.facts.vector_size), np.float32)
        theme_logit = np.empty((n, k), np.float32)
        valence_logit = np.empty((n, k, len(VALENCES)), np.float32)
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

        def run(i: int) -> None:
            row = np.array([ids[i]], np.int64)
            feed = dict(zip(GRAPH_INPUTS, (row, np.ones_like(row)), strict=True))
            vectors[i], theme_logit[i], valence_logit[i] = (
                np.asarray(output)[0] for output in self._session.run(list(GRAPH_OUTPUTS), feed)
            )

        # The longest first, so that no thread ends long after the others.
        order = sorted(range(n), key=lambda i: -len(ids[i]))
        if self.threads == 1 or n == 1:
            for i in order:
                run(i)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                for _ in pool.map(run, order):
                    pass
        return Encoded(vectors, _sigmoid(theme_logit), _softmax(valence_logit), self.codes)


def read_facts(folder: Path) -> EncoderFacts:
    """Read an encoder's facts alone: quick, for whoever only needs to know which encoder it is.

    Raises
    ------
    PipelineError
        There is no such folder, or its facts are not what this version reads.
    """
    path = folder / FACTS_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(
            f"No sentence encoder in {path.parent} ({path.name}: {_short(error)}); "
            "restore that folder, or set tagging.encoder: off."
        ) from error
    try:
        facts = EncoderFacts.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PipelineError(f"{path} does not describe a sentence encoder: {where}: {first['msg']}.") from error
    if facts.format != FORMAT or facts.valences != VALENCES:
        raise PipelineError(
            f"{path} is of format {facts.format}, this version reads format {FORMAT}; "
            "use the encoder that came with this version."
        )
    if len(set(facts.codes)) != len(facts.codes):
        raise PipelineError(f"{path} does not describe a sentence encoder: a theme is named twice.")
    return facts


def _checked(path: Path, sha256: str) -> Path:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise PipelineError(f"{path} is far larger than any encoder of ours; restore the file that belongs there.")
        found = sha256_of(path)
    except OSError as error:
        raise PipelineError(f"{path} cannot be read ({_short(error)}); restore it.") from error
    if found != sha256:
        raise PipelineError(
            f"{path} is not the file that {FACTS_FILE} describes (its checksum differs): "
            "it is damaged or from another encoder; restore the folder as it was."
        )
    return path


def _check_shape(session: onnxruntime.InferenceSession, facts: EncoderFacts, path: Path) -> None:
    inputs = tuple(sorted(node.name for node in session.get_inputs()))
    outputs = {node.name: list(node.shape[1:]) for node in session.get_outputs()}
    expected = dict(
        zip(
            GRAPH_OUTPUTS,
            ([facts.vector_size], [len(facts.codes)], [len(facts.codes), len(VALENCES)]),
            strict=True,
        )
    )
    if inputs != tuple(sorted(GRAPH_INPUTS)) or outputs != expected:
        raise PipelineError(
            f"{path} is a model, but not the sentence encoder that {FACTS_FILE} describes "
            f"(it takes {', '.join(inputs)[:100]} and gives {', '.join(outputs)[:100]})."
        )


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on Windows and macOS
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _sigmoid(logit: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    probability: np.ndarray = expit(logit)
    return probability


def _softmax(logit: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    probability: np.ndarray = softmax(logit, axis=-1)
    return probability


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:160].rstrip(". ")
