"""From labels to a model in the folder of models: fit, test on authorities left out, compare, promote if not worse."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.domain import RANDOM_DRAWS
from pipeline.errors import PipelineError, UsageError
from pipeline.themes.answers import Answers, answers_of, read_answers, write_answers
from pipeline.themes.card import card_text, metrics_of
from pipeline.themes.dataset import Labelled, as_arrays, trainable
from pipeline.themes.fitting import cross_calibrated, fit_and_test, fit_calibrations, fit_topics
from pipeline.themes.modelfile import load_model, read_manifest, save_model
from pipeline.themes.readings import EncoderReadings
from pipeline.themes.registry import CURRENT, current_id, promote
from pipeline.themes.scores import Difference, Predictions, Scores, difference, score
from pipeline.themes.stacking import fit_stack, stacked_out_of_fold
from pipeline.themes.vectorheads import VectorHeads, fit_vector_heads

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from pipeline.themes.taxonomy import Taxonomy
    from pipeline.themes.terms import Reading, TermMatcher

NOT_WORSE = 0.002
"""A new model is not worse than the one in use if its macro F1 is lower by no more than this."""

Report = Callable[[str], None]
Vectors = Callable[[Sequence[str]], "np.ndarray[Any, Any]"]


@dataclass(frozen=True)
class TrainingResult:
    """What a training made.

    Attributes
    ----------
    scores : Scores
        Without the encoder, on every labelled paragraph, each scored by a model that did not see its authority.
    scores_with_encoder : Scores or None
        With it, on the labelled paragraphs that the encoder was not tuned on.
    at_random : Scores or None
        The best of both on those paragraphs that were drawn at random: what to expect of all paragraphs of reports.
    compared : Difference or None
        Against the model that was in use, on the same paragraphs; None where there was none to compare with.
    promoted : bool
        Whether it is now in use (also where it is the same model as before).
    notes : tuple of str
        Sentences to show.
    """

    model_id: str
    folder: Path
    scores: Scores
    scores_with_encoder: Scores | None
    at_random: Scores | None
    previous: str | None
    compared: Difference | None
    promoted: bool
    notes: tuple[str, ...]


def train(
    labelled: pd.DataFrame,
    taxonomy: Taxonomy,
    models: Path,
    unlabelled: Sequence[str] = (),
    seed: int = 0,
    encoder: EncoderReadings | None = None,
    report: Report = lambda _: None,
    vectors: Vectors | None = None,
) -> TrainingResult:
    """Train on labelled paragraphs, and put the new model to use if it is not worse.

    The same labels, texts and seed give the same model, with the same name.

    Parameters
    ----------
    labelled : DataFrame
        ``fingerprint, report, theme, valence, text`` and, if known, ``authority``: one reading a paragraph
        (:func:`pipeline.themes.labels.current`), placed in the store (:func:`pipeline.themes.labels.place_labels`).
    models : Path
        The new model goes into a folder of its own there.
    unlabelled : sequence of str
        Texts that topics are learned from, besides the labelled ones.
    encoder : EncoderReadings, optional
        What the sentence encoder says of labelled paragraphs that it was not tuned on; without it the model is one for
        ``tagging.encoder: off``.
    report : callable
        Is told each step.
    vectors : callable, optional
        Gives the encoder's vectors (n, size) of paragraphs by fingerprint; asked, for all labelled paragraphs, only
        where a theme is new to the encoder.

    Raises
    ------
    UsageError
        Too few labels to train or to test on, or nearly all of one valence.
    """
    from pipeline.themes.terms import TermMatcher

    everything = as_arrays(labelled, taxonomy.codes)
    codes = trainable(everything)
    notes = _left_to_terms(everything, codes)
    if not codes:
        raise UsageError(
            "No theme has enough labelled paragraphs to train on (15, of several authorities); label more."
        )
    data = everything.columns(codes)
    matcher = TermMatcher(taxonomy.themes)
    report(f"reading {len(data)} labelled paragraphs")
    readings = [matcher.read(text) for text in data.texts]
    report(f"learning topics from {len(set(unlabelled) | set(data.texts))} paragraphs")
    topics = fit_topics(sorted({*unlabelled, *data.texts}), seed)
    report("fitting the model, and testing it on authorities left out")
    classifier, held_out = fit_and_test(data, readings, matcher, topics, seed)
    probabilities, tagged = cross_calibrated(held_out.scores, data.labels, data.folds)
    without = Answers.of(data, probabilities, tagged, held_out.valences)
    stack, joined = None, None
    if encoder is not None:
        report("joining the encoder's readings")
        stack = fit_stack(encoder, data, held_out, _heads_of_new_themes(encoder, data, vectors, report))
        said = stacked_out_of_fold(encoder, data, held_out)
        joined = Answers.of(said.data, said.probabilities, said.tagged, said.valences) if said else None
    calibrations = fit_calibrations(held_out.scores, data.labels, codes)
    scores = score(predictions(without, data), seed)
    scores_joined = score(predictions(joined, data), seed) if joined else None
    at_random = scored_at_random(labelled, joined or without, data, seed)

    previous, compared, why = _compared(models, data, without, joined, matcher, readings, encoder, seed)
    facts = {
        "taxonomy_fingerprint": taxonomy.fingerprint,
        "seed": seed,
        "labels": _label_facts(data),
        "versions": {name: version(name) for name in ("scikit-learn", "numpy", "scipy", "spacy", "skops")},
    }
    folder = save_model(
        models,
        classifier,
        calibrations,
        stack,
        facts,
        metrics_of(scores, scores_joined, at_random, previous, compared),
        card_text(taxonomy, data, scores, scores_joined, at_random, previous, compared),
    )
    write_answers(folder, without, joined)
    worse = compared is not None and compared.value < -NOT_WORSE
    if not worse:
        promote(models, folder.name)
    notes += [why] if why else []
    return TrainingResult(
        folder.name, folder, scores, scores_joined, at_random, previous, compared, not worse, tuple(notes)
    )


def _heads_of_new_themes(
    encoder: EncoderReadings, data: Labelled, vectors: Vectors | None, report: Report
) -> VectorHeads | None:
    new = tuple(code for code in data.codes if code not in encoder.codes)
    if not new or vectors is None:
        return None
    report(f"reading {', '.join(new)}, new to the encoder, from its vectors of {len(data)} paragraphs")
    return fit_vector_heads(data, new, vectors(data.fingerprints))


def _left_to_terms(data: Labelled, codes: tuple[str, ...]) -> list[str]:
    from pipeline.themes.dataset import MINIMUM_POSITIVES

    few = [f"{code} ({n})" for code, n in zip(data.codes, data.labels.sum(0), strict=True) if code not in codes]
    if not few:
        return []
    return [
        f"Tagged by their terms, because fewer than {MINIMUM_POSITIVES} labelled paragraphs, or those of one fold's "
        f"authorities only, carry them: {', '.join(few)}."
    ]


def predictions(answers: Answers, data: Labelled) -> Predictions:
    """Answers beside the labels of the same paragraphs of ``data``."""
    import numpy as np

    place = {key: i for i, key in enumerate(data.fingerprints)}
    rows = np.array([place[key] for key in answers.fingerprints], int)
    own = data.columns(answers.codes).rows(rows)
    return Predictions(
        codes=answers.codes,
        labels=own.labels,
        tagged=answers.tagged,
        probabilities=answers.probabilities,
        label_valences=own.valences,
        valences=answers.valences,
        authorities=own.authorities,
    )


def scored_at_random(labelled: pd.DataFrame, answers: Answers, data: Labelled, seed: int) -> Scores | None:
    """Scores on those paragraphs that were drawn at random (``labelled["drawn"]``); None where none were."""
    if "drawn" not in labelled:
        return None
    drawn = set(labelled.loc[labelled["drawn"].isin(RANDOM_DRAWS), "fingerprint"])
    chosen = [key for key in answers.fingerprints if key in drawn]
    return score(predictions(answers.ordered(chosen), data), seed) if chosen else None


def _compared(
    models: Path,
    data: Labelled,
    without: Answers,
    joined: Answers | None,
    matcher: TermMatcher,
    readings: Sequence[Reading],
    encoder: EncoderReadings | None,
    seed: int,
) -> tuple[str | None, Difference | None, str | None]:
    """The model in use, by how much the new one beats it, and a sentence where they cannot be compared.

    Each is scored on paragraphs that it was not fitted on: by its out-of-fold answers, and the one in use by itself on
    paragraphs labelled since. With the encoder where both were trained with the same one.
    """
    if not (models / CURRENT).is_file():
        return None, None, None
    previous = current_id(models)
    try:
        manifest = read_manifest(models / previous)
        both = joined is not None and manifest.stack is not None and encoder is not None
        if both and manifest.stack and encoder:
            both = manifest.stack.encoder_id == encoder.encoder_id
        new = joined if both and joined is not None else without
        codes = tuple(code for code in new.codes if code in manifest.codes)
        if not codes:
            return previous, None, f"The model in use, {previous}, has no theme in common with the new one."
        old = read_answers(models / previous, encoder=both)
        fresh = [key for key in new.fingerprints if key not in set(old.fingerprints)]
        if fresh:
            later = answers_of(load_model(models / previous), data, readings, matcher, fresh, encoder if both else None)
            old = old.joined(later)
    except PipelineError as error:
        return previous, None, f"The model in use could not be compared with: {error}"
    new = new.columns(codes)
    old = old.columns(codes).ordered(new.fingerprints)
    return previous, difference(predictions(new, data), predictions(old, data), seed), None


def _label_facts(data: Labelled) -> dict[str, int | str]:
    digest = hashlib.sha256()
    for key, labels, valences in zip(data.fingerprints, data.labels, data.valences, strict=True):
        digest.update(key.encode() + labels.tobytes() + valences.tobytes())
    return {
        "paragraphs": len(data),
        "labels": int(data.labels.sum()),
        "authorities": len(set(data.authorities.tolist())),
        "sha256": digest.hexdigest(),
    }
