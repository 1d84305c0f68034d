"""Continued masked-language modelling: guess the hidden pieces of monolingual text.

Devlin et al. (2019); on text of the languages and domain at hand: Gururangan et al. (2020).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from annotated_types import Gt, Lt

from models.encoders.adaptation.protocol import AdaptationObjective, AdaptedSpec, Lesson
from models.encoders.adaptation.student import Student
from models.encoders.pretrained.folders import (
    HUGGINGFACE,
    Checkpoint,
    read_published_tokenizer,
    read_weights,
)
from models.support.batches import parts_of
from models.support.errors import SourceError

if TYPE_CHECKING:
    import torch

TO_MASK, TO_ANOTHER = 0.8, 0.1
"""Of the pieces to guess: become the mask, become any other piece; the rest is seen as it is."""
DEV_SEED = 7
DEV_PIECES_AT_ONCE = 2_048
WAY_OUT = (
    "write `head: tied`, which guesses by the table of embeddings alone, or take an encoder whose "
    "files have one (xlm-r-base, mbert-cased)"
)


@dataclass(frozen=True, kw_only=True)
class MlmSpec(AdaptedSpec):
    """Guess hidden pieces of the languages' and the hub's monolingual text.

    ``masked`` is the share of pieces to guess. ``head``: what guesses, the ``own`` one that the
    encoder's files have, or ``tied``, the table of embeddings without any layer between.
    """

    kind: Literal["mlm"]
    masked: Annotated[float, Gt(0), Lt(1)] = 0.15
    head: Literal["own", "tied"] = "own"

    monolingual: ClassVar[bool] = True

    @property
    def checkpoint(self) -> bool:
        """Whether it reads the files of its first ancestor, for the head that is in them."""
        return self.head == "own"

    def objective(self, lesson: Lesson) -> AdaptationObjective:
        """Return the loss of guesses."""
        return MaskedText(lesson, self)


class MlmHead(NamedTuple):
    """Layers between states and table, and a bias for each piece of the published vocabulary."""

    layers: Any
    bias: Any


class Masked(NamedTuple):
    """Texts with hidden pieces; where they are (text, place), and what they were."""

    ids: list[list[int]]
    texts: list[int]
    places: list[int]
    wanted: list[int]


class MaskedText:
    """The mean cross-entropy, in nats, of hidden pieces among those that the texts have."""

    def __init__(self, lesson: Lesson, spec: MlmSpec) -> None:
        self.student, self.spec = lesson.student, spec
        tokenizer = read_published_tokenizer(self.student.reader.folder)
        self._mask, self._special = _marks(self.student)
        self._head = (
            tied_head(self.student, tokenizer.get_vocab_size())
            if spec.head == "tied"
            else own_head(lesson.checkpoint, tokenizer.get_vocab(), self.student.device)
        )
        self._ids = self._maskable(t for texts in lesson.text.own.values() for t in texts)
        self._dev = {
            language: self._maskable(texts) for language, texts in lesson.text.own_dev.items()
        }
        self.lengths = [len(ids) for ids in self._ids]

    @property
    def modules(self) -> Sequence[Any]:
        """The head."""
        return [self._head.layers, self._head.bias]

    def _maskable(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of those texts that have a piece which may be hidden."""
        read = self.student.read(list(texts))
        return [ids for ids in read if not self._special.issuperset(ids)]

    def prepare(self, used: Sequence[int]) -> list[list[int]]:
        """Note which pieces may stand instead of hidden ones."""
        texts = [self._ids[item] for item in used]
        self._others = sorted({piece for ids in texts for piece in ids} - self._special)
        return [*texts, *(ids for dev in self._dev.values() for ids in dev), [self._mask]]

    def loss(self, part: Sequence[int], update: Sequence[int]) -> "torch.Tensor":
        """Return what some items of an update add to its loss."""
        import torch

        hidden = self.hide([self._ids[item] for item in part], torch.default_generator)
        total = sum(len(self._chosen(self._ids[item])) for item in update)
        return self._losses(hidden, train=True).sum() / total

    def dev_losses(self) -> dict[str, float]:
        """Return the loss on monolingual text that is not trained on, by language."""
        import torch

        found = {}
        for language, texts in self._dev.items():
            draw = torch.Generator().manual_seed(DEV_SEED)
            losses: list[float] = []
            with torch.inference_mode():
                for part in parts_of(
                    range(len(texts)), [len(ids) for ids in texts], DEV_PIECES_AT_ONCE
                ):
                    hidden = self.hide([texts[place] for place in part], draw)
                    losses += self._losses(hidden, train=False).tolist()
            if losses:
                found[language] = sum(losses) / len(losses)
        return found

    def _chosen(self, ids: Sequence[int]) -> range:
        """Return as many places as are hidden of a text."""
        normal = sum(piece not in self._special for piece in ids)
        return range(max(1, round(self.spec.masked * normal)))

    def hide(self, texts: Sequence[Sequence[int]], draw: "torch.Generator") -> Masked:
        """Hide pieces of texts as chance will have it."""
        import torch

        masked = Masked([list(ids) for ids in texts], [], [], [])
        for row, ids in enumerate(texts):
            normal = [place for place, piece in enumerate(ids) if piece not in self._special]
            order = torch.randperm(len(normal), generator=draw).tolist()
            for choice in self._chosen(ids):
                place = normal[order[choice]]
                masked.texts.append(row)
                masked.places.append(place)
                masked.wanted.append(ids[place])
                fate = float(torch.rand((), generator=draw))
                if fate < TO_MASK:
                    masked.ids[row][place] = self._mask
                elif fate < TO_MASK + TO_ANOTHER:
                    other = int(torch.randint(len(self._others), (), generator=draw))
                    masked.ids[row][place] = self._others[other]
        return masked

    def _losses(self, hidden: Masked, *, train: bool) -> "torch.Tensor":
        """Return the loss of each hidden piece (pieces,), float32."""
        import torch

        student = self.student
        states = student.states(student.pad(hidden.ids), train=train)
        states = states[hidden.texts, hidden.places]
        table = student.body.get_input_embeddings().weight
        logits = torch.nn.functional.linear(self._head.layers(states), table)
        rows = torch.tensor(student.rows, device=student.device)
        logits = logits.float() + self._head.bias.weight[rows, 0].float()
        (wanted,) = student.renumber([hidden.wanted])
        return torch.nn.functional.cross_entropy(
            logits, torch.tensor(wanted, device=student.device), reduction="none"
        )


def _marks(student: Student) -> tuple[int, set[int]]:
    """Return the id of the mask, and the ids that are never hidden."""
    from transformers import AutoTokenizer

    folder = student.reader.folder
    tokenizer: Any = AutoTokenizer.from_pretrained(folder / HUGGINGFACE, local_files_only=True)
    if tokenizer.mask_token_id is None:
        raise SourceError(
            f"{folder}: its tokenizer has no piece for what is hidden (`mask_token`): masked-"
            "language modelling needs one; adapt this encoder by `distilled` or `adjusted`"
        )
    added = read_published_tokenizer(folder).get_added_tokens_decoder().items()
    marks = {number for number, token in added if token.special}
    return int(tokenizer.mask_token_id), marks | {*map(int, tokenizer.all_special_ids)}


def _bias(values: "torch.Tensor", device: str) -> Any:
    """Return a bias (pieces,) as a module; as embeddings it does not decay."""
    import torch

    return torch.nn.Embedding(len(values), 1, _weight=values[:, None]).to(device)


def tied_head(student: Student, pieces: int) -> MlmHead:
    """Return no layers and no bias."""
    import torch

    return MlmHead(torch.nn.Identity(), _bias(torch.zeros(pieces), student.device))


def own_head(checkpoint: Checkpoint, published: dict[str, int], device: str) -> MlmHead:
    """Return the head in a checkpoint's files, for the pieces of the published vocabulary.

    Raises SourceError where there is none.
    """
    import torch

    if checkpoint.packed:
        raise SourceError(
            f"{checkpoint.folder}: a packed encoder has no head that guesses hidden pieces; "
            f"{WAY_OUT}"
        )
    model, missing = _with_head(checkpoint)
    decoder: Any = model.get_output_embeddings()
    holder = next(
        (m for m in model.modules() if any(child is decoder for child in m.children())), None
    )
    layers = next((getattr(model, n) for n in ("cls", "lm_head") if hasattr(model, n)), None)
    if missing or holder is None or layers is None:
        what = f"{missing[0]} is missing" if missing else "it is of a shape that is not known here"
        raise SourceError(
            f"{checkpoint.folder}: no head that guesses hidden pieces ({what}); {WAY_OUT}"
        )
    (name,) = (n for n, child in holder.named_children() if child is decoder)
    setattr(holder, name, torch.nn.Identity())
    for left in ("decoder", "bias"):  # a second name of the same bias
        if name != left and left in dict(holder.named_parameters(recurse=False)):
            delattr(holder, left)
    before = checkpoint.read_tokenizer().get_vocab()
    bias = torch.zeros(len(published))
    if decoder.bias is not None:
        for piece, number in published.items():
            bias[number] = decoder.bias.detach()[before[piece]]
    return MlmHead(layers.to(device), _bias(bias, device))


def _with_head(checkpoint: Checkpoint) -> tuple[Any, list[str]]:
    """Return the model with its head, and the weights of that which the files lack."""
    from transformers import AutoModelForMaskedLM

    problem = "no head that guesses hidden pieces"
    model, loading = read_weights(AutoModelForMaskedLM, checkpoint.folder, problem, WAY_OUT)
    of_head = sorted(n for n in loading["missing_keys"] if n.startswith(("cls.", "lm_head.")))
    return model, [name for name in of_head if ".decoder." not in name]
