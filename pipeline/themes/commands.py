"""``pipeline train``, ``evaluate`` and ``models``: the classifier's own commands."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.config import Config, load_config

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.store import Store

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration; else PIPELINE_CONFIG, else ./config.yaml."),
]

models_app = typer.Typer(
    name="models", help="The models that were trained: which is in use, and which was before.", no_args_is_help=True
)


def train(
    seed: Annotated[int, typer.Option(help="The same seed and labels give the same model.")] = 0,
    config: ConfigOption = None,
) -> None:
    """Retrain on all labels; the new model is used if it is not worse than the one in use, on the same paragraphs."""
    from pipeline.themes.card import at_random_sentence
    from pipeline.themes.workbench import train_models

    settings = load_config(config)
    with _store(settings) as store:
        result = train_models(settings, store, seed, lambda line: typer.echo(f"  {line}", err=True))
    _show_scores(result.scores.overall, result.scores.themes)
    if result.scores_with_encoder is not None:
        typer.echo("\nWith the encoder, on paragraphs that it was not tuned on:")
        _show_scores(result.scores_with_encoder.overall, None)
    if result.at_random is not None:
        typer.echo(at_random_sentence(result.at_random))
    if result.compared is not None:
        typer.echo(f"\nAgainst {result.previous}: {result.compared}")
    for note in result.notes:
        typer.echo(note)
    typer.echo(f"{result.model_id} is {'in use' if result.promoted else 'not used'}: {result.folder}")


def evaluate(
    labels: Annotated[
        Path | None, typer.Option("--labels", metavar="FILE", help="Labels from anywhere, not the configured ones.")
    ] = None,
    curve: Annotated[
        bool, typer.Option("--learning-curve", help="Train on parts of the labels, too (minutes).")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Tables (CSV) and pictures go here.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Score the model in use on labelled paragraphs, each by answers of a model that did not learn from it."""
    from pipeline.themes.card import at_random_sentence
    from pipeline.themes.evaluation import write_evaluation
    from pipeline.themes.workbench import evaluate_model, learning_curve_of

    settings = load_config(config)
    with _store(settings) as store:
        evaluation = evaluate_model(settings, store, labels)
        learned = (
            learning_curve_of(settings, store, report=lambda line: typer.echo(f"  {line}", err=True)) if curve else None
        )
    typer.echo(f"{evaluation.model_id}, encoder {'on' if evaluation.encoder else 'off'}")
    _show_scores(evaluation.scores.overall, evaluation.scores.themes)
    if evaluation.at_random is not None:
        typer.echo(at_random_sentence(evaluation.at_random))
    if learned is not None:
        typer.echo("\n" + learned.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    for note in evaluation.notes:
        typer.echo(note)
    if output is not None:
        for path in write_evaluation(evaluation, output, learned):
            typer.echo(str(path))


@models_app.command("list")
def list_(config: ConfigOption = None) -> None:
    """Every model, the one in use first."""
    from pipeline.themes.registry import list_models

    for model in list_models(load_config(config).models):
        mark = "*" if model.in_use else " "
        typer.echo(f"{mark} {model.model_id}" + (f"  cannot be used: {model.fault}" if model.fault else ""))


@models_app.command()
def show(model: Annotated[str | None, typer.Argument(metavar="[MODEL]")] = None, config: ConfigOption = None) -> None:
    """A model's card; by default that of the one in use."""
    from pipeline.themes.registry import show as show_model

    listed, card = show_model(load_config(config).models, model)
    typer.echo(f"{listed.model_id}{' (in use)' if listed.in_use else ''}\n\n{card}")


@models_app.command()
def promote(model: Annotated[str, typer.Argument(metavar="MODEL")], config: ConfigOption = None) -> None:
    """Use this model; the next run tags anew what it tags differently, and says how the tables moved."""
    from pipeline.themes.registry import promote as promote_model

    before = promote_model(load_config(config).models, model)
    typer.echo(f"{model} is in use{f', before it {before}' if before and before != model else ''}; next: pipeline run")


@models_app.command()
def rollback(config: ConfigOption = None) -> None:
    """Use the model that was in use before."""
    from pipeline.themes.registry import rollback as roll_back

    typer.echo(f"{roll_back(load_config(config).models)} is in use again; next: pipeline run")


def _show_scores(overall: pd.DataFrame, themes: pd.DataFrame | None) -> None:
    def shown(value: float) -> str:
        return f"{value:.3f}"

    typer.echo(overall.to_string(index=False, float_format=shown))
    if themes is not None:
        typer.echo("\n" + themes.to_string(index=False, float_format=shown))


def _store(settings: Config) -> closing[Store]:
    from pipeline.store import Store

    return closing(Store(settings.store))
