"""Find one corpus that several pairs hold under several names or splits.

Such pairs hold out different sentences of one text, and the guard against leaks then takes out of
each pair's training set what the others hold out: with enough pairs, most of it.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tasks.cleaning import digest_of
from tasks.leakage import LeakRules, TextSet, text_digest
from tasks.records import corpus_of, read_records
from tasks.splitting import HELD_OUT_PARTS

if TYPE_CHECKING:
    import numpy

SAME_CORPUS = 0.5
"""Least share of the smaller corpus that must stand in the other to be called the same."""
SAME_KEYS = 0.9
"""Least share of common sentences that must have the same key, for ids to be shared."""
FEW = 10
"""Sentences that may be lost without a word: pairs drop their own repeats, so parts differ."""


class PairCorpus(NamedTuple):
    """One corpus of a pair, and how many of its training sentences other pairs hold out."""

    pair: str
    corpus: str
    train: int
    lost: int


class SharedCorpus(NamedTuple):
    """Corpora of several pairs that are one, `sentences` of which two of them share at least.

    `keys` is the share of common sentences under the same key.
    """

    language: str
    corpora: tuple[PairCorpus, ...]
    sentences: int
    keys: float

    @property
    def cure(self) -> str:
        """What to write in the manifests."""
        names = list(dict.fromkeys(found.corpus for found in self.corpora))
        if self.keys < SAME_KEYS:
            return (
                "their ids differ: name a column that holds the same id in all of them as `id` in "
                f"`format`, write `name: {names[0]}` for each, and give the pairs one `split`"
            )
        if names[1:]:
            pairs = ", ".join(f.pair for f in self.corpora if f.corpus != names[0])
            return f"write `name: {names[0]}` for it in {pairs}, and give the pairs one `split`"
        return "give the pairs one `split`: the same rule, dev, test and seed"

    def __str__(self) -> str:
        listed = ", ".join(f"{found.corpus} ({found.pair})" for found in self.corpora)
        lost = ", ".join(
            f"{found.lost:,} of {found.train:,} in {found.pair}" for found in self.corpora
        )
        return (
            f"{listed} are one corpus: at least {self.sentences:,} {self.language} sentences are "
            f"the same. The guard takes from training what another pair holds out: {lost}. "
            f"{self.cure[0].upper()}{self.cure[1:]}."
        )


@dataclass
class _Hub:
    """The sentences of one corpus of one pair in one language, each with its key and its use."""

    pair: str
    corpus: str
    language: str
    texts: "array[int]" = field(default_factory=lambda: array("Q"))
    keys: "array[int]" = field(default_factory=lambda: array("Q"))
    held_out: "array[int]" = field(default_factory=lambda: array("B"))


def shared_corpora(sets: Iterable[TextSet], rules: LeakRules) -> list[SharedCorpus]:
    """Return the corpora that several pairs share so that training text is lost.

    The sets are named "MT train ind-jav" and so on; others are passed over.
    """
    families: list[list[_Hub]] = []
    for hub in _hubs(sets, rules):
        joined = [family for family in families if any(_alike(hub, other) for other in family)]
        families = [family for family in families if family not in joined]
        families.append([*(member for family in joined for member in family), hub])
    found = [_described(family) for family in families if family[1:]]
    return [shared for shared in found if any(_is_loss(member) for member in shared.corpora)]


def _is_loss(found: PairCorpus) -> bool:
    return found.lost > max(FEW, found.train // 100)


def _hubs(sets: Iterable[TextSet], rules: LeakRules) -> list[_Hub]:
    """Return every corpus of every pair, by language."""
    hubs: dict[tuple[str, str, str], _Hub] = {}
    for looked_at in sets:
        kind, part, *owner = looked_at.name.split()
        if kind != "MT":
            continue
        for record in read_records(looked_at.path, ["id", *looked_at.columns.values()]):
            key = record["id"].partition(":")[2]
            for language, column in looked_at.columns.items():
                place = owner[0], corpus_of(record["id"]), language
                if digest := text_digest(record[column], rules):
                    hub = hubs.setdefault(place, _Hub(*place))
                    hub.texts.append(int.from_bytes(digest))
                    hub.keys.append(int.from_bytes(digest_of(key)))
                    hub.held_out.append(part in HELD_OUT_PARTS)
    return [*hubs.values()]


def _alike(first: _Hub, second: _Hub) -> bool:
    if first.pair == second.pair or first.language != second.language:
        return False
    common = len(_common(first, second)[0])
    return common > FEW and common >= SAME_CORPUS * min(len(first.texts), len(second.texts))


def _common(first: _Hub, second: _Hub) -> "tuple[numpy.ndarray, numpy.ndarray]":
    """Return the places of the texts that both have, in each."""
    import numpy

    _, here, there = numpy.intersect1d(
        numpy.asarray(first.texts), numpy.asarray(second.texts), return_indices=True
    )
    return here, there


def _described(family: Sequence[_Hub]) -> SharedCorpus:
    import numpy

    shared, same_keys, common = [], 0, 0
    for n, first in enumerate(family):
        for second in family[:n]:
            here, there = _common(first, second)
            shared.append(len(here))
            keys = numpy.asarray(first.keys)[here] == numpy.asarray(second.keys)[there]
            same_keys, common = same_keys + int(keys.sum()), common + len(here)
    members = [_member(hub, family) for hub in family]
    language = family[0].language
    return SharedCorpus(language, tuple(members), min(filter(None, shared)), same_keys / common)


def _member(hub: _Hub, family: Sequence[_Hub]) -> PairCorpus:
    """Return a corpus with its training sentences, and those that other pairs hold out."""
    import numpy

    trained = numpy.asarray(hub.texts)[numpy.asarray(hub.held_out) == 0]
    others = [
        numpy.asarray(other.texts)[numpy.asarray(other.held_out) == 1]
        for other in family
        if other.pair != hub.pair
    ]
    lost = int(numpy.isin(trained, numpy.concatenate(others)).sum()) if others else 0
    return PairCorpus(hub.pair, hub.corpus, len(trained), lost)
