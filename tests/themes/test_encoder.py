"""The shipped sentence encoder: what it gives, on what it depends, and what is said of wrong files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain import VALENCES, fingerprint
from pipeline.errors import PipelineError
from pipeline.files import sha256_of
from pipeline.themes.encoder import FACTS_FILE, GRAPH_FILE, TOKENIZER_FILE, Encoder
from pipeline.themes.labels import COLUMNS, read_labels, sketch
from pipeline.themes.readings import read_held_out
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy
from tests.labelling.building import TOPICS, make_config, make_store

# Written for this test; no report says them.
SENTENCES = {
    "camhs": ("-", "Children wait far too long for an appointment with CAMHS and their mental health gets worse."),
    "adoption": ("+", "Adopters are recruited quickly, matched carefully and praise their post-adoption support."),
    "caseloads": (
        "-",
        "Caseloads are much too high, and social workers cannot manage the number of children they hold.",
    ),
    "early_help": ("+", "Families get strong early help from the borough's family hubs, which prevents crises."),
    "missing": ("-", "Return home interviews are not offered when children go missing from care."),
}


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    return repository / "models" / "encoder"


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    return Encoder.load(folder)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    target = tmp_path / "encoder"
    shutil.copytree(folder, target)
    return target


def restate(folder: Path, **changes: object) -> None:
    """Change the facts and make their checksums true again, as a forger would."""
    facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    facts |= {
        "graph_sha256": sha256_of(folder / GRAPH_FILE),
        "tokenizer_sha256": sha256_of(folder / TOKENIZER_FILE),
    } | changes
    (folder / FACTS_FILE).write_text(json.dumps(facts), encoding="utf-8")


def test_plain_sentences_are_read_with_theme_and_valence(encoder: Encoder) -> None:
    encoded = encoder.encode([text for _, text in SENTENCES.values()])
    for row, (code, (sign, _)) in enumerate(SENTENCES.items()):
        column = encoded.codes.index(code)
        assert encoded.theme_probability[row].argmax() == column, code
        assert encoded.theme_probability[row, column] > 0.5, code
        assert VALENCES[encoded.valence[row, column].argmax()] == sign, code


def test_it_was_tuned_on_themes_of_the_taxonomy(encoder: Encoder, repository: Path) -> None:
    taxonomy = load_taxonomy(repository / "corpus" / "taxonomy.yaml")
    assert set(encoder.codes) <= {theme.code for theme in taxonomy.themes}
    assert len(encoder.codes) == 32


def test_shapes_types_and_ranges(encoder: Encoder) -> None:
    encoded = encoder.encode(["Care leavers are well supported.", "Foster carers feel valued."])
    assert encoded.vectors.shape == (2, encoder.facts.vector_size)
    assert encoded.theme_probability.shape == (2, len(encoder.codes))
    assert encoded.valence.shape == (2, len(encoder.codes), 3)
    for array in (encoded.vectors, encoded.theme_probability, encoded.valence):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert ((encoded.theme_probability >= 0) & (encoded.theme_probability <= 1)).all()
    assert np.allclose(encoded.valence.sum(-1), 1, atol=1e-5)


def test_a_text_reads_the_same_whatever_its_neighbours_and_the_threads(folder: Path, encoder: Encoder) -> None:
    texts = [text for _, text in SENTENCES.values()] + ["Word. " * 150]
    together = encoder.encode(texts)
    backwards = encoder.encode(texts[::-1])
    alone = Encoder.load(folder, threads=1).encode(texts[:1])
    assert np.array_equal(together.vectors, backwards.vectors[::-1])
    assert np.array_equal(together.vectors[:1], alone.vectors)
    assert np.array_equal(together.theme_probability[:1], alone.theme_probability)


@pytest.mark.parametrize("text", ["", " \n", "\x00\x07", "🙂" * 40, "x" * 20_000, "ﬁnd the “IRO”—now", "\u202emissing"])
def test_any_text_is_read(encoder: Encoder, text: str) -> None:
    encoded = encoder.encode([text])
    assert np.isfinite(encoded.vectors).all()
    assert np.isfinite(encoded.theme_probability).all()


def test_no_text_gives_no_rows(encoder: Encoder) -> None:
    encoded = encoder.encode([])
    assert encoded.vectors.shape == (0, encoder.facts.vector_size)
    assert encoded.valence.shape == (0, len(encoder.codes), 3)


def test_text_past_the_limit_does_not_count(encoder: Encoder) -> None:
    long = "The placement was stable. " * encoder.facts.max_tokens
    first, second = encoder.encode([long, long + " CAMHS waits are long."]).vectors
    assert np.array_equal(first, second)


def test_the_shipped_files_are_small_and_keep_the_notice(folder: Path) -> None:
    assert (folder / GRAPH_FILE).stat().st_size < 24_000_000
    notice = (folder / "NOTICE").read_text(encoding="utf-8")
    assert "Apache License" in notice
    assert "all-MiniLM-L6-v2" in notice


def test_the_held_out_readings_are_of_paragraphs_that_the_labels_know(folder: Path, repository: Path) -> None:
    taxonomy = load_taxonomy(repository / "corpus" / "taxonomy.yaml")
    labels = read_labels(repository / "corpus" / "labels.csv", taxonomy)
    held_out = read_held_out(folder)
    assert set(held_out.fingerprints) <= set(labels["fingerprint"])
    assert held_out.seen <= set(labels["fingerprint"])
    assert 0 < len(held_out.fingerprints) < len(held_out.seen)


def test_importing_it_loads_neither_pytorch_nor_onnxruntime() -> None:
    code = (
        "import sys, pipeline.themes.encoder; "
        "sys.exit(bool({'torch', 'onnxruntime', 'tokenizers', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestFilesThatAreNotWhatTheyShouldBe:
    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(PipelineError, match=r"No sentence encoder in .*nowhere.*tagging\.encoder: off"):
            Encoder.load(tmp_path / "nowhere")

    @pytest.mark.parametrize("name", [GRAPH_FILE, TOKENIZER_FILE])
    def test_a_file_is_missing(self, copied: Path, name: str) -> None:
        (copied / name).unlink()
        with pytest.raises(PipelineError, match=f"{name} cannot be read"):
            Encoder.load(copied)

    @pytest.mark.parametrize("name", [GRAPH_FILE, TOKENIZER_FILE])
    def test_a_damaged_file(self, copied: Path, name: str) -> None:
        content = bytearray((copied / name).read_bytes())
        content[len(content) // 2] ^= 0xFF
        (copied / name).write_bytes(content)
        with pytest.raises(PipelineError, match=f"{name} is not the file that .* describes"):
            Encoder.load(copied)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "does not describe a sentence encoder"),
            ("[]", "does not describe a sentence encoder"),
            ('{"format": 1}', "does not describe a sentence encoder: name"),
        ],
    )
    def test_facts_that_are_none(self, copied: Path, text: str, said: str) -> None:
        (copied / FACTS_FILE).write_text(text, encoding="utf-8")
        with pytest.raises(PipelineError, match=said):
            Encoder.load(copied)

    def test_facts_that_are_not_text(self, copied: Path) -> None:
        (copied / FACTS_FILE).write_bytes(b"\xff\xfe\x00")
        with pytest.raises(PipelineError, match="No sentence encoder"):
            Encoder.load(copied)

    def test_another_format(self, copied: Path) -> None:
        restate(copied, format=99)
        with pytest.raises(PipelineError, match="of format 99, this version reads format 1"):
            Encoder.load(copied)

    def test_a_theme_named_twice(self, copied: Path, encoder: Encoder) -> None:
        restate(copied, codes=[encoder.codes[0], *encoder.codes[:-1]])
        with pytest.raises(PipelineError, match="a theme is named twice"):
            Encoder.load(copied)

    def test_a_graph_for_other_themes(self, copied: Path, encoder: Encoder) -> None:
        restate(copied, codes=encoder.codes[:-1])
        with pytest.raises(PipelineError, match=r"not the sentence encoder that encoder\.json describes"):
            Encoder.load(copied)

    def test_no_graph_under_a_true_checksum(self, copied: Path) -> None:
        (copied / GRAPH_FILE).write_bytes(b"not a graph")
        restate(copied)
        with pytest.raises(PipelineError, match="not a model that onnxruntime can read"):
            Encoder.load(copied)

    def test_no_tokenizer_under_a_true_checksum(self, copied: Path) -> None:
        (copied / TOKENIZER_FILE).write_text("{}", encoding="utf-8")
        restate(copied)
        with pytest.raises(PipelineError, match="not a tokenizer that can be read"):
            Encoder.load(copied)

    def test_what_is_said_is_one_sentence(self, copied: Path) -> None:
        (copied / GRAPH_FILE).write_bytes(b"\n\n")
        restate(copied)
        with pytest.raises(PipelineError) as raised:
            Encoder.load(copied)
        assert "\n" not in str(raised.value)


@pytest.fixture(scope="module")
def finetune():
    """The training script, where its extra is installed."""
    for name in ("torch", "transformers", "onnx"):
        pytest.importorskip(name, reason=f"needs {name}: pip install .[encoder]")
    from pipeline.themes import finetune

    return finetune


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers, nothing learned, with a word-level vocabulary."""
    transformers = pytest.importorskip("transformers", reason="needs transformers: pip install .[encoder]")
    import tokenizers
    import torch

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("base")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "adopters", "wait", "praise", "late", "the", "are", "children"]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / TOKENIZER_FILE))
    transformers.BertModel(
        transformers.BertConfig(
            vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
        )
    ).save_pretrained(folder)
    return folder


def short(finetune):
    """Settings with an epoch of each kind."""
    from pipeline.themes.trainer import Cycle

    plain, soft = (Cycle(1, 1e-4, 2e-3, softened=softened) for softened in (False, True))
    return finetune.Settings(cycles=(plain, soft), last=soft, batch=8)


class TestFineTuning:
    """The training script on a tiny base model: needs the ``encoder`` extra."""

    @pytest.fixture
    def labels(self, tmp_path: Path) -> Path:
        path = tmp_path / "labels.jsonl"
        lines = [
            {
                "id": f"{i:012x}",
                "report": f"pdf/{i % 12}_town/report.pdf",
                "text": f"adopters praise the {i}" if i % 2 else f"the children wait late {i}",
                "labels": {"adoption": "+"} if i % 2 else {"camhs": "-"},
            }
            for i in range(48)
        ]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path

    def test_what_is_trained_is_what_the_run_time_reads(
        self, finetune, base: Path, labels: Path, taxonomy: Taxonomy, tmp_path: Path
    ) -> None:
        from pipeline.themes.trainer import Cycle

        settings = finetune.Settings(batch=8)
        examples = finetune.read_examples(labels)
        trainer = finetune.Trainer(examples, ("adoption", "camhs"), base, settings, taxonomy)
        trainer.train(range(len(examples)), Cycle(8, 1e-3, 1e-2), 0)
        finetune.write_encoder(trainer.network, ("adoption", "camhs"), base, settings, tmp_path / "made")
        encoded = Encoder.load(tmp_path / "made").encode(["adopters praise the", "the children wait late"])
        assert encoded.theme_probability.round().tolist() == [[1, 0], [0, 1]]
        assert VALENCES[encoded.valence[0, 0].argmax()] == "+"
        assert VALENCES[encoded.valence[1, 1].argmax()] == "-"

    def test_the_normalisation_is_written_apart_and_comes_to_the_same(
        self, finetune, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import onnx

        from pipeline.themes.network import ThemeNetwork

        settings = finetune.Settings()
        network = ThemeNetwork(base, 2, dropout=0.1, seed=7)
        encoded = {}
        for name in ("apart", "joined"):
            if name == "joined":
                monkeypatch.setattr("pipeline.themes.graph.part_normalisation", lambda _: None)
            finetune.write_encoder(network, ("adoption", "camhs"), base, settings, tmp_path / name)
            operations = {node.op_type for node in onnx.load(tmp_path / name / GRAPH_FILE).graph.node}
            assert ("SkipLayerNormalization" in operations) == (name == "joined")
            encoded[name] = Encoder.load(tmp_path / name).encode(["adopters praise the", "the children wait late"])
        # Not equal to the last digit: what is rounded to 8 bits between the layers may fall to either side.
        assert np.corrcoef(encoded["apart"].vectors.ravel(), encoded["joined"].vectors.ravel())[0, 1] > 0.999

    def test_a_whole_run_writes_an_encoder_and_its_held_out_readings(
        self, finetune, base: Path, labels: Path, taxonomy: Taxonomy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finetune, "base_model", lambda _: base)
        settings = short(finetune)
        made = tmp_path / "made"
        finetune.run(finetune.read_examples(labels), made, False, settings, taxonomy)
        examples = finetune.read_examples(labels)
        split = finetune.split_authorities([example.authority for example in examples])
        held_out = read_held_out(made)
        assert set(held_out.fingerprints) == {e.fingerprint for e in examples if e.authority not in split.training}
        assert held_out.seen == {fingerprint(json.loads(line)["text"]) for line in labels.open(encoding="utf-8")}
        assert held_out.vectors.shape[1] == 2 * 4
        assert Encoder.load(made).codes == held_out.codes == ("adoption", "camhs")
        finetune.run(examples, tmp_path / "two", True, settings, taxonomy)
        finetune.run(examples, tmp_path / "two", False, settings, taxonomy)
        assert Encoder.load(tmp_path / "two").encoder_id == Encoder.load(made).encoder_id
        scores = json.loads((made / "held-out" / "metrics.json").read_text(encoding="utf-8"))["scores"]
        assert scores["paragraphs"] == sum(e.authority in split.test for e in examples)

    @pytest.mark.usefixtures("finetune")
    def test_the_fast_layers_compute_what_the_library_computes(self, base: Path) -> None:
        import torch

        from pipeline.themes.network import ThemeNetwork

        network = ThemeNetwork(base, 2, dropout=0.1, seed=7).eval()
        ids = torch.tensor([[2, 4, 6, 8, 3], [2, 5, 3, 0, 0]])
        mask = (ids != 0).long()
        with torch.no_grad():
            expected = network.bert(input_ids=ids, attention_mask=mask).last_hidden_state
            fast = network.through(network.embedded(ids), mask).float()
        assert torch.allclose(fast[mask == 1], expected[mask == 1], atol=0.06)

    def test_a_held_out_encoder_is_trained_once(
        self,
        finetune,
        base: Path,
        labels: Path,
        taxonomy: Taxonomy,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(finetune, "base_model", lambda _: base)
        made, settings = tmp_path / "made", short(finetune)
        finetune.run(finetune.read_examples(labels), made, True, settings, taxonomy)
        assert not (made / "encoder.json").exists()
        first = (made / "held-out" / GRAPH_FILE).stat().st_mtime_ns
        finetune.run(finetune.read_examples(labels), made, True, settings, taxonomy)
        assert (made / "held-out" / GRAPH_FILE).stat().st_mtime_ns == first
        finetune.run(finetune.read_examples(labels), made, True, replace(settings, seed=8), taxonomy)
        assert (made / "held-out" / GRAPH_FILE).stat().st_mtime_ns != first

    def test_labels_are_read_from_the_label_file_and_the_store(self, finetune, tmp_path: Path) -> None:
        config = make_config(tmp_path)
        make_store(config).close()
        texts = [f"{TOPICS[i]} in ward {100 + i}." for i in (0, 3)]
        rows = [(texts[0], "workforce", "-"), (texts[0], "caseloads", "0"), (texts[1], "", ""), ("gone", "legal", "+")]
        lines = [
            f"{fingerprint(text)},1_made up/report 1.pdf,1,{theme},{valence},me,,first,random,{sketch(text)}"
            for text, theme, valence in rows
        ]
        config.labels.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8")
        examples = sorted(finetune.stored_examples(config), key=lambda example: len(example.labels), reverse=True)
        assert examples == [
            finetune.Example(fingerprint(texts[0]), "1_made up", texts[0], {"workforce": "-", "caseloads": "0"}),
            finetune.Example(fingerprint(texts[1]), "1_made up", texts[1], {}),
        ]

    def test_word_vectors_stay_and_the_layers_move(
        self, finetune, base: Path, labels: Path, taxonomy: Taxonomy
    ) -> None:
        from pipeline.themes.trainer import Cycle

        examples = finetune.read_examples(labels)
        trainer = finetune.Trainer(examples, ("adoption", "camhs"), base, finetune.Settings(), taxonomy)
        before = {name: value.clone() for name, value in trainer.network.named_parameters()}
        trainer.train(range(len(examples)), Cycle(1, 1e-4, 2e-3), 0)
        moved = {name for name, value in trainer.network.named_parameters() if not value.equal(before[name])}
        assert {name.split(".")[3] for name in moved if name.startswith("bert.encoder.layer.")} == {"0", "1"}
        assert "bert.embeddings.word_embeddings.weight" not in moved

    def test_authorities_are_parted_whole_and_always_the_same(self, finetune) -> None:
        names = [f"town {i}" for i in range(115)]
        split = finetune.split_authorities(names)
        assert split == finetune.split_authorities(names[::-1])
        assert (len(split.test), len(split.calibration), len(split.training)) == (23, 9, 83)
        assert split.test | split.calibration | split.training == set(names)

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("not json", "line 1: not a labelled paragraph"),
            ('{"id": "a", "report": "x/y.pdf", "text": "t"}', "line 1: not a labelled paragraph"),
            ('{"id": "a", "report": "x/y.pdf", "text": "t", "labels": {"camhs": "?"}}', "a valence other than"),
            ('{"id": "a", "report": "x/y.pdf", "text": "t", "labels": {}}', "holds no labelled paragraph"),
        ],
    )
    def test_labels_that_cannot_be_used(self, finetune, tmp_path: Path, line: str, said: str) -> None:
        path = tmp_path / "labels.jsonl"
        path.write_text(line + "\n", encoding="utf-8")
        with pytest.raises(PipelineError, match=said):
            finetune.read_examples(path)
