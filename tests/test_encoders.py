"""Encoders: what they see of a text, what they write, and that every kind is known everywhere."""

from dataclasses import fields
from pathlib import Path
from typing import get_args

import numpy
import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from models.encoders.adaptation.protocol import ControlSpec
from models.encoders.adaptation.registry import ADAPTATIONS
from models.encoders.ngrams import Ngrams
from models.encoders.nmt import ScaledVectors, pool
from models.encoders.pretrained.spec import PretrainedSpec
from models.encoders.registry import (
    DEFAULT_ENCODERS,
    AnyEncoder,
    EncoderSpec,
    NmtEncoderSpec,
)
from models.heads.linear import ClassifierRecipe
from pipeline.stages.encoding import VECTORS
from tasks.transfer.learners import learner

OTHER_FIELDS: dict[type, dict[str, str]] = {
    PretrainedSpec: {"model": "e5-small"},
    ControlSpec: {"of": "adapted"},
    **{kind: {"parent": "e5"} for kind in ADAPTATIONS},
}
TEXTS = ["ora apik", "apik ora", "किताब अच्छी है", "книга хороша", ""]
KINDS = [
    TypeAdapter(EncoderSpec).validate_python(
        {"kind": get_args(kind.__annotations__["kind"])[0], **OTHER_FIELDS.get(kind, {})}
    )
    for kind in get_args(AnyEncoder)
]


def test_words_and_their_order_count_beside_characters() -> None:
    features = Ngrams(words=True)
    features.fit(["ora apik", "apik ora", "किताब अच्छी है"])
    first, second = features.transform(["ora apik", "apik ora"]).toarray()
    assert not numpy.array_equal(first, second)
    characters = Ngrams(words=False)
    characters.fit(["ora apik", "apik ora"])
    first, second = characters.transform(["ora apik", "apik ora"]).toarray()
    assert numpy.array_equal(first, second)


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("train", [TEXTS * 2, [""]], ids=["text", "nothing"])
def test_ngrams_that_were_saved_see_the_same(words: bool, train: list[str], tmp_path: Path) -> None:
    features, loaded = Ngrams(words=words), Ngrams(words=words)
    features.fit(train)
    features.save(tmp_path)
    loaded.load(tmp_path)
    for texts in (TEXTS, ["apik किताब नहीं", "zzz"]):
        same = features.transform(texts).toarray() == loaded.transform(texts).toarray()
        assert same.all()


def test_vectors_are_scaled_to_unit_length_on_average(tmp_path: Path) -> None:
    vectors = numpy.random.default_rng(1).normal(5, 9, size=(400, 16)).astype(numpy.float32)
    features, loaded = ScaledVectors(), ScaledVectors()
    features.fit(vectors)
    scaled = features.transform(vectors)
    assert (scaled**2).sum(1).mean() == pytest.approx(1, abs=1e-3)
    features.save(tmp_path)
    loaded.load(tmp_path)
    assert numpy.array_equal(loaded.transform(vectors), scaled)


def test_padding_adds_nothing_to_a_sentence() -> None:
    states = torch.tensor([[[1.0, -4.0], [3.0, -2.0], [99.0, 99.0]]])
    mask = torch.tensor([[True, True, False]])
    assert pool(states, mask).tolist() == [[2.0, -3.0, 3.0, -2.0]]


def test_an_experiment_names_encoders_by_kind() -> None:
    read = TypeAdapter(dict[str, EncoderSpec]).validate_python
    assert read({"mine": {"kind": "nmt", "system": "bt"}})["mine"].system == "bt"
    with pytest.raises(ValidationError, match="'ngrams', 'nmt'"):
        read({"mine": {"kind": "ngram"}})
    with pytest.raises(ValidationError, match="words"):
        read({"mine": {"kind": "ngrams", "words": "perhaps"}})


@pytest.mark.parametrize("encoder", KINDS, ids=lambda e: e.kind)
def test_each_kind_has_a_learner_and_what_makes_its_vectors(encoder: AnyEncoder) -> None:
    assert learner(encoder.nameless, ClassifierRecipe())
    assert (encoder.nameless.kind in VECTORS) == encoder.vectors


@pytest.mark.parametrize(
    "encoder", [*DEFAULT_ENCODERS.values(), NmtEncoderSpec(kind="nmt", system="bt")]
)
def test_no_name_of_a_system_decides_a_classifier(encoder: AnyEncoder) -> None:
    values = [str(getattr(encoder.nameless, field.name)) for field in fields(encoder)]
    assert "bt" not in values


def test_a_word_is_one_feature_whatever_joins_it_or_parts_it_from_the_next() -> None:
    encoder = Ngrams(words=True)
    encoder.fit(["o‘zbek ko‘radi", "ខ្ញុំ\u200bទៅ\u200bសាលា", "col·legi"] * 2)
    names = set(encoder._vectorizer.transformer_list[1][1].get_feature_names_out())
    assert {"o‘zbek", "o‘zbek ko‘radi", "ខ្ញុំ", "ខ្ញុំ ទៅ", "សាលា", "col·legi"} <= names
    characters = encoder._vectorizer.transformer_list[0][1].get_feature_names_out()
    assert " ទៅ " in characters
    assert not [gram for gram in characters if "\u200b" in gram]
