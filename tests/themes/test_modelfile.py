"""Model files that are damaged, of another version, or meant to do harm."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from pipeline.errors import PipelineError, UsageError
from pipeline.files import sha256_of
from pipeline.themes.answers import ANSWERS, read_answers
from pipeline.themes.modelfile import ESTIMATORS, MANIFEST, load_model, read_manifest
from pipeline.themes.registry import CURRENT, current_id, list_models, promote, show
from pipeline.themes.tagger import Tagger, tagger_stamp
from pipeline.themes.taxonomy import Taxonomy, parse_taxonomy
from pipeline.themes.training import TrainingResult
from tests.themes.invented import TAXONOMY


@pytest.fixture
def folder(trained: TrainingResult, tmp_path: Path) -> Path:
    """A copy of the trained model's folder, in use in its own folder of models."""
    models = tmp_path / "models"
    shutil.copytree(trained.folder.parent, models)
    return models / trained.model_id


def resigned(folder: Path) -> None:
    """Make the manifest vouch for the estimators' file as it now is: a careful attacker would."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["estimators_sha256"] = sha256_of(folder / ESTIMATORS)
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def error_of(folder: Path) -> str:
    with pytest.raises(PipelineError) as caught:
        load_model(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_a_model_read_back_is_the_one_that_was_written(
    trained: TrainingResult, folder: Path, taxonomy: Taxonomy
) -> None:
    model = load_model(folder)
    assert model.manifest.codes == ("housing", "money", "travel")
    assert len(model.classifier.features.names()) == model.classifier.regressions.estimators_[0].coef_.shape[1]
    assert Tagger.load(folder.parent, taxonomy, encoder=False).model_id == trained.model_id


def test_a_changed_file_is_refused(folder: Path) -> None:
    with (folder / ESTIMATORS).open("ab") as file:
        file.write(b" ")
    assert "is not the file that its manifest describes" in error_of(folder)


def test_a_file_that_is_no_archive_is_refused(folder: Path) -> None:
    (folder / ESTIMATORS).write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    resigned(folder)
    assert "is not a model file" in error_of(folder)


def test_a_truncated_archive_is_refused(folder: Path) -> None:
    content = (folder / ESTIMATORS).read_bytes()
    (folder / ESTIMATORS).write_bytes(content[: len(content) // 2])
    resigned(folder)
    assert "is not a model file" in error_of(folder)


def test_a_file_with_types_of_its_own_is_refused_before_anything_is_made_of_it(folder: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    skops.io.dump({"vectorizer": FunctionTransformer(Path.touch, kw_args={"self": ran})}, folder / ESTIMATORS)
    resigned(folder)
    message = error_of(folder)
    assert "names types that no model of ours has" in message
    assert "FunctionTransformer" in message
    assert not ran.exists()


def test_a_schema_that_names_a_function_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(folder / ESTIMATORS) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    schema = json.loads(parts["schema.json"])
    schema["content"]["svd"] = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": {}}
    parts["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(folder / ESTIMATORS, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    resigned(folder)
    assert "os.system" in error_of(folder)


def test_an_archive_that_unpacks_to_too_much_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(folder / ESTIMATORS, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", "{}")
        with archive.open("zeros.npy", "w") as member:
            for _ in range(401):
                member.write(bytes(1_000_000))
    resigned(folder)
    assert "unpacks to more" in error_of(folder)


def test_another_of_our_models_under_this_manifest_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["codes"] = manifest["codes"][:2]
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert "does not fit its manifest" in error_of(folder)


def test_a_model_file_of_something_else_is_refused(folder: Path) -> None:
    skops.io.dump({"weights": [1, 2]}, folder / ESTIMATORS)
    resigned(folder)
    assert "is not one of our models" in error_of(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is damaged"),
        ("[]", "is damaged"),
        ('{"format": 2}', "has format 2, and this version reads 1"),
        ('{"format": 1}', "is damaged: `model_id`"),
    ],
)
def test_a_manifest_that_is_damaged_or_of_another_version_is_said(folder: Path, text: str, said: str) -> None:
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    assert said in error_of(folder)


def test_a_threshold_that_is_no_number_is_said(folder: Path) -> None:
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    manifest = json.loads(text)
    manifest["calibration"]["money"]["threshold"] = 1.5
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert "calibration.money.threshold" in error_of(folder)
    del manifest["calibration"]["money"]
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert "has no threshold" in error_of(folder)


def test_a_missing_model_and_a_missing_list_are_said(folder: Path, taxonomy: Taxonomy, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="There is no model in"):
        read_manifest(tmp_path)
    with pytest.raises(PipelineError, match="No model is in use in"):
        Tagger.load(tmp_path / "nowhere", taxonomy, encoder=False)
    (folder.parent / CURRENT).write_text("../../elsewhere\n", encoding="utf-8")
    with pytest.raises(PipelineError, match="does not name a model"):
        current_id(folder.parent)
    with pytest.raises(UsageError, match="There is no model 'other' in"):
        promote(folder.parent, "other")
    with pytest.raises(UsageError, match=r"There is no model '\.\./x' in"):
        show(folder.parent, "../x")


def test_a_damaged_model_is_listed_with_its_fault(folder: Path) -> None:
    shutil.copytree(folder, folder.parent / "themes-copy")
    (folder.parent / "themes-copy" / MANIFEST).write_text("{", encoding="utf-8")
    first, second = list_models(folder.parent)
    assert first.in_use
    assert first.fault is None
    assert second.fault is not None
    assert "is damaged" in second.fault
    with pytest.raises(PipelineError, match="is damaged"):
        promote(folder.parent, "themes-copy")


def test_the_stamp_is_known_without_loading_and_changes_with_thresholds_and_terms(
    folder: Path, taxonomy: Taxonomy
) -> None:
    models = folder.parent
    stamp = tagger_stamp(models, taxonomy, encoder=False)
    assert stamp == Tagger.load(models, taxonomy, encoder=False).stamp
    assert len(stamp) <= 64
    other = parse_taxonomy(TAXONOMY.replace("minibus", "tram"))
    assert tagger_stamp(models, other, encoder=False) != stamp
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["calibration"]["money"]["threshold"] = 0.123
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert tagger_stamp(models, taxonomy, encoder=False) != stamp


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY"])
def test_answers_that_are_damaged_are_said(folder: Path, content: bytes) -> None:
    (folder / ANSWERS).write_bytes(content)
    with pytest.raises(PipelineError, match="cannot be used"):
        read_answers(folder, encoder=False)


def test_answers_with_the_encoder_are_asked_of_a_model_without_one(folder: Path) -> None:
    with pytest.raises(PipelineError, match="cannot be used"):
        read_answers(folder, encoder=True)
