"""The translated text that classifiers read: counted as it is, by training, and called dead."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from models.encoders.pretrained.folders import HUGGINGFACE, TOKENIZER
from pipeline.dag import find_stages
from pipeline.stages.stage import Inputs
from pipeline.stages.text_health import TextHealth, TextHealthSpec
from pipeline.store import Artifact
from tasks.mt.health import Translated, diagnose
from tasks.records import write_records
from tasks.transfer.guards import guard_of

INDONESIAN = [
    "Dia minum kopi setiap pagi di warung.",
    "Sungai itu lebar dan sangat dalam.",
    "Kami pulang larut malam kemarin.",
    "Anak-anak bermain bola di lapangan.",
    "Harga beras naik lagi minggu ini.",
]
ENGLISH = [
    "She drinks coffee every morning at the stall.",
    "The river is wide and very deep.",
    "We went home late last night.",
    "The children play football in the field.",
    "The price of rice rose again this week.",
]


def test_what_came_back_is_counted_over_all_items() -> None:
    made = [*ENGLISH[:3], "", INDONESIAN[4]]
    text = Translated([*INDONESIAN, " "], [*made, ""], INDONESIAN, ENGLISH)
    guard = guard_of(text, diagnose(text))
    assert (guard.items, guard.translated) == (5, 4)
    assert (guard.empty, guard.copied) == (pytest.approx(0.2), pytest.approx(0.2))


def folder(path: Path, **parts: list[str]) -> Artifact:
    """Return an artifact with a labelled set, or its translation."""
    path.mkdir()
    for part, texts in parts.items():
        ids = [f"c:{n}" for n in range(len(texts))]
        labels = ["good"] * len(texts)
        write_records(path / f"{part}.parquet", {"id": ids, "text": texts, "label": labels})
    return Artifact(path)


def facts(tmp_path: Path, *translated: tuple[list[str], list[str]]) -> dict[str, Any]:
    """Return what is found in translations of train and dev text from ind into eng."""
    bitext = tmp_path / "bitext"
    bitext.mkdir()
    human = {"id": list("abcde"), "ind": INDONESIAN, "eng": ENGLISH}
    write_records(bitext / "train.parquet", human)
    inputs = Inputs(
        {
            "text": [folder(tmp_path / "set", train=INDONESIAN[:3], dev=INDONESIAN[3:])],
            "translations": [
                folder(tmp_path / f"made-{n}", train=train, dev=dev)
                for n, (train, dev) in enumerate(translated)
            ],
            "bitext": [Artifact(bitext)],
            "identifier": [Artifact(tmp_path)],
        }
    )
    out: Any = SimpleNamespace(facts={})
    TextHealth.build(TextHealthSpec(("ind", "eng"), ("train", "dev")), inputs, out)
    found: dict[str, Any] = out.facts
    return found


def test_each_training_is_looked_at_over_all_parts(tmp_path: Path) -> None:
    found = facts(tmp_path, (ENGLISH[:3], ENGLISH[3:]), (["", "", ENGLISH[2]], ["", ""]))
    good, dead = found["guards"]
    assert (good["items"], good["translated"], good["length"]) == (5, 5, 1.0)
    assert (dead["items"], dead["translated"], dead["empty"]) == (5, 1, 0.8)
    assert found["ills"] == ["80% of its lines are empty (1 of 2 trainings)"]


def test_text_that_was_left_in_its_language_is_told(tmp_path: Path) -> None:
    found = facts(tmp_path, (INDONESIAN[:3], INDONESIAN[3:]))
    (guard,) = found["guards"]
    assert guard["copied"] == 1.0
    assert "100% of its lines are copies" in found["ills"]


def test_good_text_has_no_ills(tmp_path: Path) -> None:
    assert facts(tmp_path, (ENGLISH[:3], ENGLISH[3:]))["ills"] == []


def test_what_an_encoder_does_not_know_of_it_is_counted(tmp_path: Path) -> None:
    vocabulary = {piece: n for n, piece in enumerate(["[UNK]", "the", "river", "is"])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = Whitespace()
    (tmp_path / HUGGINGFACE).mkdir()
    tokenizer.save(str(tmp_path / HUGGINGFACE / TOKENIZER))
    text = Translated(["a", "b"], ["the river is", "the lake"], ["a"], ["c"])
    guard = guard_of(text, diagnose(text), [tmp_path])
    assert guard.unknown_pieces == (pytest.approx(1 / 5),)
    nothing = Translated(["a"], [""], ["a"], ["c"])
    assert guard_of(nothing, diagnose(nothing), [tmp_path]).unknown_pieces == (0.0,)


def test_one_look_serves_every_encoder_and_builds_no_translation_again(tiny: Path) -> None:
    looks = find_stages(str(tiny), "TextHealth")
    labels = [stage.label() for stage in looks]
    assert len(labels) == len({*labels})
    for stage in looks:
        kinds = {type(needed).__name__ for needed in stage.inputs["translations"]}
        assert kinds == {"Translation"}
        assert not {"Classifiers", "EncodedText"} & {type(s).__name__ for s in stage.walk()}
