"""Which paragraphs are to be labelled next: at random, where the model is least sure, by theme, by authority."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.errors import PipelineError, UsageError
from pipeline.labelling.batch import Batch, Draw, Item, batch_id
from pipeline.labelling.pool import Candidate, labels_here, once_each, read_pool, stored_tags, tagged_with
from pipeline.store import Store
from pipeline.themes.labels import current, read_labels
from pipeline.themes.tagger import Tagger
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    import pandas as pd

RANDOM = "random"
UNLABELLED_AT_RANDOM = "unlabelled, at random"
"""Drawn at random from what earlier, not random draws had left: such a batch says nothing about prevalence."""

POOL = 4000
"""The model reads at most so many paragraphs, drawn at random, to find those it is least sure of."""

_A_REPORT = 3  # uncertain paragraphs of one report before others get their turn
_AT_A_TIME = 256

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Wanted:
    """What to draw.

    Attributes
    ----------
    annotator : str or None
        Who will read: paragraphs that this annotator has read are left out. None: those that anybody has.
    again : str or None
        An annotator whose paragraphs are to be read a second time, by ``annotator``: only those are drawn.
    seed : int or None
        None: a new one, kept in the batch's description.
    """

    draw: Draw = Draw.RANDOM
    theme: str | None = None
    authority: str | None = None
    count: int = 50
    seed: int | None = None
    annotator: str | None = None
    again: str | None = None
    suggestions: bool = False


def draw_batch(
    store: Store, config: Config, wanted: Wanted, today: date, progress: Progress | None = None
) -> tuple[Batch, tuple[str, ...]]:
    """A batch of paragraphs not read yet, and sentences to show with it.

    ``random`` and ``authority`` draw uniformly; ``theme`` draws uniformly from the paragraphs that the model gave the
    theme or that hold one of its terms; ``uncertain`` takes those with the highest expected number of wrong tags, as
    the model's calibrated probabilities tell it, from :data:`POOL` drawn at random (uncertainty sampling, Lewis and
    Gale 1994, summed over themes); ``suspect`` takes those that others have read whose labels the model doubts most
    (:func:`pipeline.labelling.suspects.doubts`), for ``annotator`` to read again without seeing them.

    Raises
    ------
    UsageError
        An option that does not go with the draw, an unknown theme, authority or annotator, nothing left to draw.
    PipelineError
        No model where one is needed, or suggestions wanted of reports that no model has read.
    """
    taxonomy = load_taxonomy(config.taxonomy)
    _check(wanted, taxonomy)
    labels = read_labels(config.labels, taxonomy) if config.labels.exists() else None
    seed = wanted.seed if wanted.seed is not None else secrets.randbelow(10**6)
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    pool = read_pool(store)
    if not pool:
        raise UsageError("The store has no paragraphs to label yet; run `pipeline run` first.")
    if labels is not None:
        labels = labels_here(labels, pool)
    if wanted.authority is not None:
        pool = _of_authority(pool, wanted.authority)
    pool = sorted(once_each(pool), key=lambda candidate: candidate.fingerprint)
    left, drawn_before, biased = _not_read(pool, labels, wanted)
    if not left:
        who = f"{wanted.annotator} has" if wanted.annotator else "somebody has"
        raise UsageError(
            f"There is no paragraph left to draw: {who} read all {len(pool)} of them; choose another draw or annotator."
        )
    if wanted.draw is Draw.SUSPECT and labels is not None:
        chosen = _suspects(left, labels, wanted, config)
    else:
        left, chosen = _choose(left, wanted, rng, store, config, taxonomy, progress)
    drawn = UNLABELLED_AT_RANDOM if wanted.draw is Draw.RANDOM and biased else _drawn(wanted)
    items = [candidate.item(config, drawn_before.get(candidate.fingerprint, drawn)) for candidate in chosen]
    if wanted.suggestions:
        items = _with_suggestions(items, chosen, store, taxonomy)
    name = "second reading" if wanted.again and wanted.draw is not Draw.SUSPECT else wanted.draw.value
    digest = hashlib.sha256("\n".join([str(seed), *(item.fingerprint for item in items)]).encode()).hexdigest()
    whose = f", read before by {wanted.again}" if wanted.again else ""
    batch = Batch(
        batch_id(today, name, digest, wanted.suggestions),
        today,
        f"{_drawn(wanted)}{whose}; {len(items)} of {len(left)} paragraphs, seed {seed}",
        wanted.suggestions,
        taxonomy,
        tuple(items),
    )
    return batch, tuple(_notes(wanted, batch, biased))


def _check(wanted: Wanted, taxonomy: Taxonomy) -> None:
    if wanted.count < 1:
        raise UsageError("--count must be at least 1.")
    if wanted.draw is Draw.THEME and wanted.theme is None:
        raise UsageError("--draw theme needs --theme CODE.")
    if wanted.draw is Draw.AUTHORITY and wanted.authority is None:
        raise UsageError("--draw authority needs --authority NAME.")
    if wanted.draw is Draw.SUSPECT and wanted.annotator is None:
        raise UsageError("--draw suspect needs --annotator NAME: who is to read them again.")
    if wanted.theme is not None:
        if wanted.draw in (Draw.RANDOM, Draw.AUTHORITY):
            raise UsageError(f"--theme does not go with --draw {wanted.draw}; use --draw theme, uncertain or suspect.")
        if taxonomy.theme(wanted.theme).retired:
            raise UsageError(f"The theme {wanted.theme} is retired and is no longer labelled; choose another.")
    if wanted.authority is not None and wanted.draw is Draw.RANDOM:
        raise UsageError("--authority does not go with --draw random; use --draw authority.")
    if wanted.again is not None and wanted.annotator is None:
        raise UsageError("--second-reading-of needs --annotator NAME: who is to read them again.")
    if wanted.again is not None and wanted.again == wanted.annotator:
        raise UsageError("--second-reading-of and --annotator are the same; a second reading is somebody else's.")


def _drawn(wanted: Wanted) -> str:
    of = [part for part in (wanted.theme, wanted.authority) if part]
    words = "".join(c if c.isalnum() or c in " .'&()-" else " " for c in ", ".join(of)) if of else ""
    return f"{wanted.draw.value}: {' '.join(words.split())[:100]}" if words else wanted.draw.value


def _of_authority(pool: Sequence[Candidate], name: str) -> list[Candidate]:
    found = [candidate for candidate in pool if name.casefold() in candidate.authority.casefold()]
    if not found:
        raise UsageError(f"The store has no paragraphs of an authority with '{name}' in its name; see pipeline status.")
    return found


def _not_read(
    pool: list[Candidate], labels: pd.DataFrame | None, wanted: Wanted
) -> tuple[list[Candidate], dict[str, str], bool]:
    """What is left to read; for second readings how each was drawn; whether what is left is no random rest."""
    read: set[str] = set()
    before: dict[str, str] = {}
    biased = False
    if labels is not None:
        mine = labels if wanted.annotator is None else labels[labels["annotator"] == wanted.annotator]
        read = set(mine["fingerprint"])
        here = {candidate.fingerprint for candidate in pool}
        # A paragraph that was drawn at random stays in the random sample; one that was picked leaves a gap.
        picked = mine.loc[~mine["drawn"].str.startswith(RANDOM), "fingerprint"]
        biased = bool(here & set(picked))
        if wanted.again is not None:
            theirs = labels[labels["annotator"] == wanted.again].drop_duplicates("fingerprint", keep="last")
            if theirs.empty:
                known = ", ".join(sorted(set(labels["annotator"])))
                raise UsageError(f"Nobody called '{wanted.again}' has labelled anything; there is {known}.")
            before = dict(zip(theirs["fingerprint"], theirs["drawn"], strict=True))
        elif wanted.draw is Draw.SUSPECT:
            others = labels.drop_duplicates("fingerprint", keep="last")
            before = dict(zip(others["fingerprint"], others["drawn"], strict=True))
    elif wanted.draw is Draw.SUSPECT:
        raise UsageError("There are no labels yet, so none to doubt; label some first.")
    elif wanted.again is not None:
        raise UsageError(f"There are no labels yet, so none by '{wanted.again}' to read again.")
    once_more = wanted.again is not None or wanted.draw is Draw.SUSPECT
    left = [
        candidate
        for candidate in pool
        if candidate.fingerprint not in read and (not once_more or candidate.fingerprint in before)
    ]
    return left, before, biased and not once_more


def _suspects(left: list[Candidate], labels: pd.DataFrame, wanted: Wanted, config: Config) -> list[Candidate]:
    from pipeline.labelling.suspects import doubts

    doubted = doubts(current(labels), config.models, wanted.theme)
    known = [candidate for candidate in left if candidate.fingerprint in doubted]
    if not known:
        raise UsageError(
            "The model in use was not trained on any of the labels to be read again, so it cannot doubt them; run "
            "`pipeline train` first."
        )
    return most_uncertain(known, [doubted[candidate.fingerprint] for candidate in known], wanted.count)


def _choose(
    left: list[Candidate],
    wanted: Wanted,
    rng: random.Random,
    store: Store,
    config: Config,
    taxonomy: Taxonomy,
    progress: Progress | None,
) -> tuple[list[Candidate], list[Candidate]]:
    """The paragraphs that could have been chosen, and those that were."""
    if wanted.draw is Draw.UNCERTAIN:
        pool = rng.sample(left, min(POOL, len(left)))
        tagger = Tagger.load(config.models, taxonomy, config.tagging.encoder)
        return pool, most_uncertain(pool, expected_errors(pool, tagger, store, wanted.theme, progress), wanted.count)
    if wanted.draw is Draw.THEME and wanted.theme is not None:
        left = _about(left, wanted.theme, store, taxonomy)
    return left, rng.sample(left, min(wanted.count, len(left)))


def _about(left: list[Candidate], theme: str, store: Store, taxonomy: Taxonomy) -> list[Candidate]:
    from pipeline.themes.terms import TermMatcher

    tagged = tagged_with(store, theme)
    matcher = TermMatcher([taxonomy.theme(theme)])
    found = [c for c in left if c.paragraph_id in tagged or matcher.read(c.text).terms]
    if not found:
        raise UsageError(
            f"No paragraph left carries the theme {theme} or holds one of its terms; give it terms in the taxonomy, "
            "or draw at random."
        )
    return found


def expected_errors(
    pool: Sequence[Candidate], tagger: Tagger, store: Store, theme: str | None = None, progress: Progress | None = None
) -> list[float]:
    """How many of the tags that the model decides on for each paragraph are expected to be wrong.

    A theme given is wrong with probability 1 - p, one not given with p, where p is calibrated. ``theme``: that one's
    alone.
    """
    import numpy as np

    from pipeline.labelling.vectors import vectors_of

    thresholds = np.array([tagger.thresholds()[code] for code in tagger.codes])
    columns = [tagger.codes.index(theme)] if theme else list(range(len(tagger.codes)))
    errors: list[float] = []
    for start in range(0, len(pool), _AT_A_TIME):
        some = pool[start : start + _AT_A_TIME]
        vectors = vectors_of(store, tagger, {candidate.fingerprint: candidate.text for candidate in some})
        p = tagger.probabilities([candidate.text for candidate in some], vectors)
        wrong = np.where(p >= thresholds, 1 - p, p)[:, columns]
        errors += wrong.sum(axis=1).tolist()
        if progress is not None:
            progress(min(start + _AT_A_TIME, len(pool)), len(pool))
    return errors


def most_uncertain(pool: Sequence[Candidate], errors: Sequence[float], count: int) -> list[Candidate]:
    """The ``count`` with the most expected errors, at most three of a report as long as there are others."""
    order = sorted(range(len(pool)), key=lambda i: (-errors[i], pool[i].fingerprint))
    of_report: dict[str, int] = {}
    first: list[Candidate] = []
    later: list[Candidate] = []
    for i in order:
        report = pool[i].report
        of_report[report] = of_report.get(report, 0) + 1
        (first if of_report[report] <= _A_REPORT else later).append(pool[i])
    return (first + later)[:count]


def _with_suggestions(items: list[Item], chosen: Sequence[Candidate], store: Store, taxonomy: Taxonomy) -> list[Item]:
    untagged = sum(not candidate.tagged for candidate in chosen)
    if untagged:
        raise PipelineError(
            f"The reports of {untagged} of the {len(chosen)} paragraphs drawn are not tagged yet, so there is nothing "
            "to suggest; run `pipeline run` first, or leave --suggestions out."
        )
    found = stored_tags(store, [candidate.paragraph_id for candidate in chosen])
    return [
        replace(
            item,
            suggested=tuple(
                (theme, valence) for theme, valence in found.get(c.paragraph_id, ()) if theme in taxonomy.codes
            ),
        )
        for item, c in zip(items, chosen, strict=True)
    ]


def _notes(wanted: Wanted, batch: Batch, biased: bool) -> list[str]:
    notes = []
    if len(batch.items) < wanted.count:
        notes.append(f"Only {len(batch.items)} paragraphs were left to draw, not {wanted.count}.")
    if wanted.draw is Draw.RANDOM and biased:
        whose = f"{wanted.annotator}'s labels" if wanted.annotator else "labels"
        notes.append(
            f"Paragraphs with {whose} from draws that were not random are left out, so that this batch is "
            f"'{UNLABELLED_AT_RANDOM}' and does not count towards prevalence; with --annotator NAME of somebody who "
            "has labelled nothing yet, or only random batches, it does."
        )
    if wanted.suggestions:
        notes.append(
            "The model's suggestions are shown: labels made with them in sight lean towards the model, and the batch's "
            "name says so."
        )
    return notes
