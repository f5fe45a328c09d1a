"""A model on disk: a folder with a manifest, the fitted estimators in skops' format, metrics and a card.

Nothing here is a pickle. The estimators' file is read only after every type in it has been found in :data:`TRUSTED`, so
a file from elsewhere cannot run code.
"""

from __future__ import annotations

import copy
import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.domain import VALENCES
from pipeline.errors import PipelineError
from pipeline.files import sha256_of, write_text, written_whole
from pipeline.themes.calibration import Calibration
from pipeline.themes.classifier import Classifier, Topics, WordFeatures

if TYPE_CHECKING:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

FORMAT = 1
"""Version of the manifest and of what the estimators' file holds."""

MANIFEST = "manifest.json"
ESTIMATORS = "classifier.skops"
METRICS = "metrics.json"
CARD = "card.md"

TRUSTED = frozenset(
    {
        "builtins.dict",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "builtins.int",
        "builtins.float",
        "builtins.bool",
        "builtins.NoneType",
        "numpy.ndarray",
        "numpy.float32",
        "numpy.float64",
        "numpy.int32",
        "numpy.int64",
        "numpy.dtype",
        "sklearn.decomposition._truncated_svd.TruncatedSVD",
        "sklearn.feature_extraction.text.TfidfTransformer",
        "sklearn.feature_extraction.text.TfidfVectorizer",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.multiclass.OneVsRestClassifier",
        "sklearn.preprocessing._label.LabelBinarizer",
    }
)
"""Every type that a model file may name."""

_LARGEST = 400_000_000  # bytes unpacked: a model of ours is a tenth of it


class CalibrationEntry(BaseModel):
    """A theme's :class:`~pipeline.themes.calibration.Calibration` as the manifest has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slope: float = Field(allow_inf_nan=False)
    intercept: float = Field(allow_inf_nan=False)
    threshold: float = Field(ge=0, le=1)

    def calibration(self) -> Calibration:
        return Calibration(self.slope, self.intercept, self.threshold)


class VectorHead(BaseModel):
    """A theme's score read from the encoder's vector: ``vector @ weights + intercept``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = Field(min_length=1, max_length=4096)
    intercept: float = Field(allow_inf_nan=False)


class StackEntry(BaseModel):
    """A theme's weights where the encoder's reading joins the classifier's (see :mod:`pipeline.themes.stacking`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    classifier: float = Field(allow_inf_nan=False)
    encoder: float = Field(allow_inf_nan=False)
    intercept: float = Field(allow_inf_nan=False)
    threshold: float = Field(ge=0, le=1)
    head: VectorHead | None = None  # of a theme that the encoder was not tuned on: how its vector is read


class Stack(BaseModel):
    """How an encoder's readings join the classifier's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder_id: str
    themes: dict[str, StackEntry]
    valence_weight: float = Field(ge=0, le=1)  # of the encoder's valence; the classifier's has the rest


class Manifest(BaseModel):
    """What a model is and was made from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    model_id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,39}$")
    codes: tuple[str, ...] = Field(min_length=1)
    estimators_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    calibration: dict[str, CalibrationEntry]
    stack: Stack | None = None
    taxonomy_fingerprint: str
    seed: int
    labels: dict[str, int | str]
    versions: dict[str, str]


@dataclass(frozen=True)
class Model:
    """A model as read from its folder."""

    manifest: Manifest
    classifier: Classifier


def read_manifest(folder: Path) -> Manifest:
    """Read a model's manifest; light, no estimator is loaded.

    Raises
    ------
    PipelineError
        One sentence: not there, damaged, or of another version.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
        version = json.loads(text).get("format")
    except FileNotFoundError:
        raise PipelineError(f"There is no model in {folder}; choose another with `pipeline models list`.") from None
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise PipelineError(f"The model's {path} is damaged ({' '.join(str(error).split())[:160]}).") from None
    if version != FORMAT:
        raise PipelineError(
            f"The model in {folder} has format {version!r:.20}, and this version reads {FORMAT}; "
            "train again with `pipeline train`, or use the version it was made with."
        )
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PipelineError(f"The model's {path} is damaged: `{where}` {first['msg'].lower()}.") from None
    lost = [code for code in manifest.codes if code not in manifest.calibration]
    if lost or len(set(manifest.codes)) != len(manifest.codes):
        raise PipelineError(f"The model's {path} is damaged: a theme is doubled or has no threshold.")
    return manifest


def load_model(folder: Path) -> Model:
    """Read a model.

    Raises
    ------
    PipelineError
        One sentence: as :func:`read_manifest`, or the estimators' file is damaged, is not the one that the manifest
        describes, names a type that no model of ours has, or does not fit the manifest.
    """
    manifest = read_manifest(folder)
    path = folder / ESTIMATORS
    try:
        if sha256_of(path) != manifest.estimators_sha256:
            raise PipelineError(f"{path} is not the file that its manifest describes; restore the folder as it was.")
    except OSError as error:
        raise PipelineError(f"The model's {path} cannot be read ({error.strerror}).") from None
    foreign = sorted(_types(path) - TRUSTED)
    if foreign:
        raise PipelineError(
            f"{path} names types that no model of ours has ({', '.join(foreign)[:200]}); "
            "it is not loaded, do not trust it."
        )
    return Model(manifest, _classifier(_loaded(path), manifest, path))


def _types(path: Path) -> set[str]:
    """Every type, and every way of loading one, that the file names."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
                raise PipelineError(f"{path} unpacks to more than any model of ours; it is not loaded.")
            schema = json.loads(archive.read("schema.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, RecursionError, EOFError) as error:
        raise PipelineError(f"{path} is not a model file ({' '.join(str(error).split())[:160]}).") from None
    found: set[str] = set()
    nodes = [schema]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            if "__class__" in node or "__module__" in node:
                found.add(f"{node.get('__module__')}.{node.get('__class__')}")
            nodes += node.values()
        elif isinstance(node, list):
            nodes += node
    return found


def _loaded(path: Path) -> dict[str, Any]:
    import warnings

    import skops.io
    from sklearn.exceptions import InconsistentVersionWarning

    try:
        with warnings.catch_warnings():
            # Only fitted coefficients are used, and these mean the same in every version.
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            content = skops.io.load(path, trusted=[])
    except Exception as error:  # whatever a damaged file makes the library or NumPy raise
        raise PipelineError(f"{path} cannot be loaded ({' '.join(str(error).split())[:160]}).") from error
    if not isinstance(content, dict):
        raise PipelineError(f"{path} is not one of our models.")
    return content


def _classifier(content: dict[str, Any], manifest: Manifest, path: Path) -> Classifier:
    try:
        vectorizer = _with_vocabulary(content["vectorizer"], content["vocabulary"])
        topics = Topics(_with_vocabulary(content["topic_vectorizer"], content["topic_vocabulary"]), content["svd"])
        features = WordFeatures(tuple(content["feature_codes"]), vectorizer, topics)
        classifier = Classifier(manifest.codes, features, content["regressions"], content["valence"])
        words, dimensions = len(vectorizer.vocabulary_), topics.svd.components_.shape[0]
        shapes = {estimator.coef_.shape for estimator in classifier.regressions.estimators_}
        fits = (
            len(classifier.regressions.estimators_) == len(manifest.codes)
            and shapes == {(1, words + dimensions + len(features.codes))}
            and vectorizer.idf_.shape == (words,)
            and topics.svd.components_.shape[1] == len(topics.vectorizer.vocabulary_)
            and classifier.valence_regression.coef_.shape == (len(VALENCES), 2 * words + len(features.codes))
        )
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise PipelineError(f"{path} is not one of our models ({' '.join(str(error).split())[:160]}).") from None
    if not fits:
        raise PipelineError(f"{path} does not fit its manifest; restore the folder as it was.")
    return classifier


def _with_vocabulary(vectorizer: TfidfVectorizer, words: str) -> TfidfVectorizer:
    # A dictionary of tens of thousands of entries is slow in skops; one text is not.
    vectorizer.vocabulary_ = {word: i for i, word in enumerate(words.split("\n"))}
    return vectorizer


def _without_vocabulary(vectorizer: TfidfVectorizer) -> TfidfVectorizer:
    bare = copy.copy(vectorizer)
    del bare.vocabulary_
    return bare


def _vocabulary(vectorizer: TfidfVectorizer) -> list[str]:
    return sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)


def content_id(classifier: Classifier, calibrations: dict[str, Calibration], stack: Stack | None) -> str:
    """A model's name from what it computes: the same training gives the same name.

    16 of the hex digits of a SHA-256 over codes, vocabulary, coefficients (float32) and calibration.
    """
    digest = hashlib.sha256()
    features = classifier.features
    words = [_vocabulary(features.vectorizer), _vocabulary(features.topics.vectorizer)]
    parts = [classifier.codes, features.codes, words, {k: vars_of(v) for k, v in calibrations.items()}]
    digest.update(json.dumps(parts, sort_keys=True).encode())
    digest.update(stack.model_dump_json(exclude_none=True).encode() if stack else b"")
    for array in _arrays(classifier):
        digest.update(array.tobytes())
    return f"themes-{digest.hexdigest()[:16]}"


def vars_of(calibration: Calibration) -> dict[str, float]:
    """The three numbers of a calibration by name."""
    return {"slope": calibration.slope, "intercept": calibration.intercept, "threshold": calibration.threshold}


def _arrays(classifier: Classifier) -> list[np.ndarray[Any, Any]]:
    import numpy as np

    estimators = [*classifier.regressions.estimators_, classifier.valence_regression]
    features = classifier.features
    arrays = [features.vectorizer.idf_, features.topics.vectorizer.idf_, features.topics.svd.components_]
    arrays += [array for estimator in estimators for array in (estimator.coef_, estimator.intercept_)]
    return [np.ascontiguousarray(array, np.float32) for array in arrays]


def save_model(
    models: Path,
    classifier: Classifier,
    calibrations: dict[str, Calibration],
    stack: Stack | None,
    facts: dict[str, Any],
    metrics: dict[str, Any],
    card: str,
) -> Path:
    """Write a model's folder below ``models`` and give its path; it is named by :func:`content_id`.

    Coefficients are written in single precision. ``facts`` are the manifest's ``taxonomy_fingerprint``, ``seed``,
    ``labels`` and ``versions``. The manifest is written last: a folder without one is not a model.
    """
    import numpy as np
    import skops.io

    model_id = content_id(classifier, calibrations, stack)
    folder = models / model_id
    folder.mkdir(parents=True, exist_ok=True)
    features = classifier.features
    svd = copy.copy(features.topics.svd)
    svd.components_ = svd.components_.astype(np.float32)
    regressions = copy.deepcopy(classifier.regressions)
    valence = copy.deepcopy(classifier.valence_regression)
    for estimator in [*regressions.estimators_, valence]:
        estimator.coef_ = estimator.coef_.astype(np.float32)
    content = {
        "vectorizer": _without_vocabulary(features.vectorizer),
        "vocabulary": "\n".join(_vocabulary(features.vectorizer)),
        "topic_vectorizer": _without_vocabulary(features.topics.vectorizer),
        "topic_vocabulary": "\n".join(_vocabulary(features.topics.vectorizer)),
        "svd": svd,
        "feature_codes": list(features.codes),
        "regressions": regressions,
        "valence": valence,
    }
    with written_whole(folder / ESTIMATORS) as temporary:
        skops.io.dump(content, temporary, compression=zipfile.ZIP_DEFLATED, compresslevel=6)
    write_text(folder / METRICS, json.dumps(metrics, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / CARD, card)
    manifest = Manifest(
        format=FORMAT,
        model_id=model_id,
        codes=classifier.codes,
        estimators_sha256=sha256_of(folder / ESTIMATORS),
        calibration={code: CalibrationEntry(**vars_of(c)) for code, c in calibrations.items()},
        stack=stack,
        **facts,
    )
    write_text(folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    return folder
