"""Adjustment of words: aligned words of a sentence and its translation get the same vector.

Cao, Kitaev and Klein (2020); the loss as Efimov et al. (2023) have it: words of both languages come
near to each other, while those of the hub stay where they were.
"""

import copy
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from annotated_types import Ge, Gt

from models.alignment import AlignedPair, align, tokens
from models.encoders.adaptation.distilled import looked_at
from models.encoders.adaptation.protocol import AdaptationObjective, AdaptedSpec, Lesson, Sentences
from models.encoders.adaptation.student import Student
from models.support.batches import parts_of
from models.support.sampling import spread
from models.writing import is_word

if TYPE_CHECKING:
    import torch

PIECES_AT_ONCE = 2_048
SCALE_SENTENCES = 128
"""Sentence pairs whose hub words say what is far."""

Span = tuple[int, int]
Places = list[int]


@dataclass(frozen=True, kw_only=True)
class AdjustedSpec(AdaptedSpec):
    """Words are linked by fast_align, one to one; a word's vector is the mean over its pieces.

    ``keep`` is the weight of what holds the hub's words where they were. ``synthetic`` names
    systems: what they make of real monolingual text is trained on, too.
    """

    kind: Literal["adjusted"]
    rate: Annotated[float, Gt(0)] = 5e-5
    keep: Annotated[float, Ge(0)] = 1.0
    synthetic: tuple[str, ...] = ()

    @property
    def recipe(self) -> "AdjustedSpec":
        """What decides the adaptation: no names."""
        return replace(self, parent="", control=True, fine_tune=None, synthetic=())

    def objective(self, lesson: Lesson) -> AdaptationObjective:
        """Return the distance of aligned words."""
        return AlignedWords(lesson, self.keep)


class LinkedPair(NamedTuple):
    """Ids of a hub sentence and of its translation, and the pieces of each two linked words."""

    hub: list[int]
    other: list[int]
    links: list[tuple[Places, Places]]


class AlignedWords:
    """The mean squared distance of linked words, and of the hub's to what they were.

    Both are divided by the variance of hub words before any training. A control has hub sentences
    on both sides: each word is linked with itself, and dropout alone parts the two.
    """

    modules: Sequence[Any] = ()

    def __init__(self, lesson: Lesson, keep: float) -> None:
        self.student, self.keep = lesson.student, keep
        lesson.report("words are aligned")
        self._dev_of = looked_at(lesson.text.dev)
        self._pairs: list[LinkedPair] = []
        self._dev: dict[str, list[LinkedPair]] = {}
        for language in dict.fromkeys(of.language for of in lesson.text.train):
            self._link(language, lesson)
        self.lengths = [len(pair.hub) + len(pair.other) for pair in self._pairs]

    def _link(self, language: str, lesson: Lesson) -> None:
        """Align all bitext of a language, dev text too: the more, the better are the links."""
        whole = [of for of in lesson.given.train if of.language == language]
        dev = [of for of in self._dev_of if of.language == language]
        linked = [*self._linked([*whole, *dev], with_itself=False)]
        count = sum(len(of.hub) for of in whole)
        learnt = linked[:count]
        if lesson.text is not lesson.given:
            own = [of for of in lesson.text.train if of.language == language]
            learnt = [*self._linked(own, with_itself=True)]
        self._pairs += [pair for pair in learnt if pair.links]
        self._dev[language] = [pair for pair in linked[count:] if pair.links]

    def _linked(self, some: Sequence[Sentences], *, with_itself: bool) -> Iterator[LinkedPair]:
        """Yield pairs with their links, if they have any."""
        pairs = [pair for of in some for pair in zip(of.hub, of.texts, strict=True)]
        aligned = map(_itself, pairs) if with_itself else align(lambda: pairs)
        hub = self.student.reader.spans([hub for hub, _ in pairs])
        others = self.student.reader.spans([other for _, other in pairs])
        for pair, found, (ids, spans), (theirs, their_spans) in zip(
            pairs, aligned, hub, others, strict=True
        ):
            words = word_pieces(pair[0], found.source, spans)
            other_words = word_pieces(pair[1], found.target, their_spans)
            linked = [
                (words[source], other_words[target])
                for source, target in sure_links(found, with_itself=with_itself)
                if words.get(source) and other_words.get(target)
            ]
            yield LinkedPair(ids, theirs, linked)

    def prepare(self, used: Sequence[int]) -> list[list[int]]:
        """Keep the encoder as it is; return the ids of all that will be read."""
        import torch

        self._first = Student(
            copy.deepcopy(self.student.body),
            self.student.reader,
            self.student.pooling,
            self.student.device,
        )
        self._first.body.requires_grad_(False)
        some = spread(self._pairs, SCALE_SENTENCES)
        with torch.inference_mode():
            words = [self._words(self._first, [pair], train=False)[0] for pair in some]
        self.variance = float(torch.cat(words).var(0, unbiased=False).mean()) or 1.0
        pairs = [
            *(self._pairs[item] for item in used),
            *(p for dev in self._dev.values() for p in dev),
        ]
        return [ids for pair in pairs for ids in (pair.hub, pair.other)]

    def loss(self, part: Sequence[int], update: Sequence[int]) -> "torch.Tensor":
        """Return what some items of an update add to its loss."""
        total = sum(len(self._pairs[item].links) for item in update)
        return self._losses([self._pairs[item] for item in part], train=True).sum() / total

    def dev_losses(self) -> dict[str, float]:
        """Return the loss on dev text by language."""
        import torch

        found = {}
        for language, pairs in self._dev.items():
            losses: list[float] = []
            lengths = [len(pair.hub) + len(pair.other) for pair in pairs]
            with torch.inference_mode():
                for part in parts_of(range(len(pairs)), lengths, PIECES_AT_ONCE):
                    losses += self._losses([pairs[place] for place in part], train=False).tolist()
            if losses:
                found[language] = sum(losses) / len(losses)
        return found

    def _losses(self, pairs: Sequence[LinkedPair], *, train: bool) -> "torch.Tensor":
        """Return the loss of each link (links,), float32."""
        import torch

        hub, other = self._words(self.student, pairs, train=train)
        self._first.body.to(next(self.student.body.parameters()).dtype)
        with torch.no_grad():
            before, _ = self._words(self._first, pairs, train=False, hub_alone=True)
        apart = (hub - other).square().mean(1) + self.keep * (hub - before).square().mean(1)
        return apart / self.variance

    @staticmethod
    def _words(
        student: Student, pairs: Sequence[LinkedPair], *, train: bool, hub_alone: bool = False
    ) -> tuple["torch.Tensor", "torch.Tensor"]:
        """Return the vectors of linked words (links, width) of the hub and of the other side."""
        ids = [pair.hub for pair in pairs]
        rows = [(row, pair.links) for row, pair in enumerate(pairs)]
        places = [(row, hub) for row, links in rows for hub, _ in links]
        if not hub_alone:
            ids += [pair.other for pair in pairs]
            places += [(len(pairs) + row, other) for row, links in rows for _, other in links]
        states = student.states(student.pad(ids), train=train)
        vectors = _means(states, places)
        links = sum(len(pair.links) for pair in pairs)
        return vectors[:links], vectors[links:]


def _means(states: "torch.Tensor", words: Sequence[tuple[int, Places]]) -> "torch.Tensor":
    """Return the mean state of the pieces of each word (words, width), float32."""
    import torch

    device = states.device
    rows = torch.tensor([row for row, places in words for _ in places], device=device)
    columns = torch.tensor([place for _, places in words for place in places], device=device)
    of = torch.tensor([n for n, (_, places) in enumerate(words) for _ in places], device=device)
    counts = torch.tensor([len(places) for _, places in words], device=device)
    sums = torch.zeros(len(words), states.shape[-1], device=device)
    return sums.index_add(0, of, states[rows, columns].float()) / counts[:, None]


def _itself(pair: tuple[str, str]) -> AlignedPair:
    """Align a sentence with itself."""
    words = tokens(pair[0])
    return AlignedPair(words, words, [(n, n) for n in range(len(words))], 0.0)


def sure_links(pair: AlignedPair, *, with_itself: bool = False) -> Iterator[tuple[int, int]]:
    """Yield the links of words that have no other link, and that differ."""
    sources = Counter(source for source, _ in pair.links)
    targets = Counter(target for _, target in pair.links)
    for source, target in pair.links:
        one, other = pair.source[source], pair.target[target]
        single = sources[source] == targets[target] == 1
        if single and is_word(one) and is_word(other) and (with_itself or one != other):
            yield source, target


def word_pieces(text: str, words: Sequence[str], spans: Sequence[Span]) -> Mapping[int, Places]:
    """Return the pieces of each of a text's lower-cased words, which stand in their order.

    `spans` are the characters that each piece covers, none for marks. A word that reaches behind
    where the text was cut has no pieces.
    """
    lowered = text.lower()
    ends = list(accumulate(len(character.lower()) for character in text))
    covered = max((end for _, end in spans), default=0)
    found: dict[int, Places] = {}
    start = 0
    for number, word in enumerate(words):
        place = lowered.find(word, start)
        if place < 0:
            continue
        start = place + len(word)
        first, last = bisect_right(ends, place), bisect_right(ends, start - 1)
        if last < covered:
            found[number] = [
                piece for piece, (begin, end) in enumerate(spans) if begin <= last and end > first
            ]
    return found
