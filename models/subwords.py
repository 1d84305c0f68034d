"""One joint SentencePiece unigram model; its ids are the ids of every engine.

Ids 0 to 3 are `<s> <pad> </s> <unk>` as in fairseq and in Hugging Face's M2M-100, then come the
control pieces (one tag per language and `<BT>`), then the text's own pieces. Control pieces can be
inserted by id but are never produced from text, so a corpus that contains the characters `<BT>`
cannot fake a tag. With inline casing the text's own pieces are lower-case and marks carry the case.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

from models.casing import CASE_MARKS, mark_case, restore_case
from models.support.errors import SourceError

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

BACK_TRANSLATION_TAG = "<BT>"
SPECIAL_PIECES = ("<s>", "<pad>", "</s>", "<unk>")
PAD, EOS, UNKNOWN = 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class SubwordRecipe:
    """Size and coverage of the joint subword vocabulary; whether case is taken out of the words."""

    size: Annotated[int, Ge(100), Le(65_000)] = 4000
    character_coverage: Annotated[float, Gt(0.9), Le(1)] = 1.0
    inline_case: bool = True
    max_training_lines: Annotated[int, Ge(1000)] = 500_000
    seed: int = 1


def language_tag(language: str) -> str:
    """Return the piece that names a target language, in fairseq's multilingual style."""
    return f"__{language}__"


def train_subwords(
    lines: Iterable[str], languages: Sequence[str], recipe: SubwordRecipe, target: Path
) -> int:
    """Train the joint model into `target` (a `.model` file) and return its vocabulary size.

    The size is a soft limit: a tiny corpus yields fewer pieces instead of an error.
    Source: unigram language model, Kudo 2018.
    """
    import sentencepiece

    sentencepiece.set_random_generator_seed(recipe.seed)
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=map(mark_case, lines) if recipe.inline_case else iter(lines),
            model_writer=model,  # a model written by path would hold that path
            model_type="unigram",
            vocab_size=recipe.size,
            hard_vocab_limit=False,
            character_coverage=recipe.character_coverage,
            normalization_rule_name="identity",  # cleaning has normalised; joiners must survive
            input_sentence_size=recipe.max_training_lines,
            shuffle_input_sentence=True,
            control_symbols=[*map(language_tag, languages), BACK_TRANSLATION_TAG],
            user_defined_symbols=CASE_MARKS if recipe.inline_case else [],  # a tuple is misread
            bos_id=0,
            pad_id=1,
            eos_id=2,
            unk_id=3,
            num_threads=1,
            minloglevel=1,
        )
    except RuntimeError as error:
        raise SourceError(f"the subword model could not be trained: {error}") from error
    target.write_bytes(model.getvalue())
    return len(Subwords(target))


class Subwords:
    """A trained model: text to pieces and back."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _model(self) -> "SentencePieceProcessor":
        import sentencepiece

        return sentencepiece.SentencePieceProcessor(model_file=str(self.path))

    def __len__(self) -> int:
        return int(self._model.get_piece_size())

    def pieces(self) -> Iterator[str]:
        """Yield every piece in the order of its id."""
        return (self._model.id_to_piece(i) for i in range(len(self)))

    def piece_id(self, piece: str) -> int:
        """Return the id of a piece that must exist."""
        index = int(self._model.piece_to_id(piece))
        if index == self._model.unk_id():
            raise SourceError(f"the subword model {self.path} has no piece {piece!r}")
        return index

    @cached_property
    def inline_case(self) -> bool:
        """Whether the model was trained on marked text."""
        return int(self._model.piece_to_id(CASE_MARKS[0])) != self._model.unk_id()

    def encode_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Segment each text into ids, without tags or end of sentence."""
        encoded: list[list[int]] = self._model.encode(self._marked(texts), out_type=int)
        return encoded

    def encode_pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Segment each text into pieces, without tags or end of sentence."""
        encoded: list[list[str]] = self._model.encode(self._marked(texts), out_type=str)
        return encoded

    def decode(self, pieces: Sequence[Sequence[str]]) -> list[str]:
        """Join pieces back into text."""
        decoded: list[str] = self._model.decode([list(p) for p in pieces])
        return list(map(restore_case, decoded)) if self.inline_case else decoded

    def _marked(self, texts: Sequence[str]) -> list[str]:
        return list(map(mark_case, texts)) if self.inline_case else list(texts)
