"""How a study transfers: encoders, strategies, few shots, ensembles, and who translates."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, field_validator

from models.encoders.registry import DEFAULT_ENCODERS, AnyEncoder, EncoderSpec
from models.engines.protocol import Decoding
from models.heads.linear import ClassifierRecipe
from pipeline.specs.adaptations import with_controls
from pipeline.specs.manifests import Manifest, Name, Problem
from pipeline.specs.suggesting import suggest
from tasks.transfer.catalogue import strategy_called
from tasks.transfer.ensembles import Ensemble, Member
from tasks.transfer.strategies import (
    DEFAULT_STRATEGIES,
    STRATEGIES,
    ZERO_SHOT,
    few_shot,
)

SEVERAL = ""
"""Instead of an encoder: that of an ensemble whose members have encoders of their own."""


class FewShots(Manifest):
    """Training on a few labels of the language: what the same effort buys without translation.

    * ``shots``: labels a class; one strategy each.
    * ``draws``: how often they are drawn anew, each draw a classifier: which labels one happens to
      have moves a score more than most methods do, so ten are the default.
    * ``alone``, ``on_hub``: on these labels alone; on the hub's text as well.
    """

    shots: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=1)] = (8, 32, 128)
    draws: Annotated[int, Field(ge=2)] = 10
    alone: bool = True
    on_hub: bool = True

    @property
    def names(self) -> list[str]:
        """The strategies."""
        sides = [on_hub for on_hub, wanted in ((False, self.alone), (True, self.on_hub)) if wanted]
        return [few_shot(n, on_hub=side).name for side in sides for n in sorted({*self.shots})]


class TransferRecipe(Manifest):
    """What the tasks are compared with.

    * ``encoders``: what classifiers see, by name.
    * ``classifier``: one budget for every strategy.
    * ``systems``: those that translate for the tasks; all of them where none is named.
    * ``decoding``: how task texts are translated.
    * ``strategies``: ways to use the labelled text; the plain ones where none is named.
    * ``few_shot``: a few labels of the language, drawn several times.
    * ``ensembles``: strategies whose class probabilities are averaged, each with a system and an
      encoder of its own where one is named: ``[translate-train, translate-test by gloss with e5]``.
    * ``strategies_of``: for an encoder, the strategies that it is used with, instead of all.
    """

    encoders: Annotated[dict[Name, EncoderSpec], Field(min_length=1)] = Field(
        default_factory=lambda: dict(DEFAULT_ENCODERS)
    )
    classifier: ClassifierRecipe = ClassifierRecipe()
    systems: tuple[Name, ...] = ()
    decoding: Decoding = Decoding()
    strategies: Annotated[tuple[str, ...], Field(min_length=1)] = DEFAULT_STRATEGIES
    few_shot: FewShots | None = None
    ensembles: tuple[Annotated[tuple[str, ...], Field(min_length=2)], ...] = ()
    strategies_of: dict[Name, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("encoders")
    @classmethod
    def _add_controls(cls, encoders: dict[str, AnyEncoder]) -> dict[str, AnyEncoder]:
        return with_controls(encoders)

    @property
    def all_strategies(self) -> list[str]:
        """Every strategy by name: the entries in their own order, ensembles, few shots."""
        entries = [name for name in STRATEGIES if name in self.strategies]
        shots = self.few_shot.names if self.few_shot else []
        return [*entries, *(found.name for found in self.averaged), *shots]

    def of_encoder(self, encoder: str) -> list[str]:
        """Return the strategies that an encoder is used with, or those of `SEVERAL`."""
        wanted = self.strategies_of.get(encoder)
        return [
            name
            for name in self.all_strategies
            if strategy_called(name).uses_encoder == (encoder != SEVERAL)
            if wanted is None or name in wanted
        ]

    def budget(self, shots: int) -> ClassifierRecipe:
        """Return the classifiers' budget: with few shots each draw is a seed and keeps them all."""
        if self.few_shot and shots:
            fields = self.classifier.__dict__ | {"seeds": self.few_shot.draws, "train_share": 1.0}
            return ClassifierRecipe(**fields)
        return self.classifier

    @property
    def averaged(self) -> list[Ensemble]:
        """The ensembles, read."""
        return [Ensemble(tuple(map(Member.parse, members))) for members in self.ensembles]

    def named_systems(self) -> list[str]:
        """Return the systems that members of ensembles name."""
        return [m.system for found in self.averaged for m in found.members if m.system]

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong with the strategies that are named."""
        for name in self.strategies:
            if name not in STRATEGIES:
                yield ("transfer", "strategies"), f"no strategy {name!r}{suggest(name, STRATEGIES)}"
        if ZERO_SHOT not in self.strategies:
            yield ("transfer", "strategies"), f"{ZERO_SHOT} is missing: all are compared with it"
        wrong = list(self._wrong_members())
        yield from wrong
        if wrong:
            return
        known = self.all_strategies
        for encoder, names in self.strategies_of.items():
            place = ("transfer", "strategies_of", encoder)
            if encoder not in self.encoders:
                yield place, f"no encoder {encoder!r}{suggest(encoder, self.encoders)}"
            for name in names:
                if name not in known:
                    yield place, f"no strategy {name!r} in this experiment{suggest(name, known)}"

    def _wrong_members(self) -> Iterator[Problem]:
        for number, members in enumerate(self.ensembles):
            place = ("transfer", "ensembles", number)
            for member in map(Member.parse, members):
                if not member.is_known:
                    text = f"no strategy {member.strategy!r}"
                    yield place, f"{text}{suggest(member.strategy, STRATEGIES)}"
                elif not member.of.per_language:
                    yield place, f"{member.strategy} has no text in the language to be averaged on"
                elif member.encoder and member.encoder not in self.encoders:
                    text = f"no encoder {member.encoder!r}"
                    yield place, f"{text}{suggest(member.encoder, self.encoders)}"
                elif member.system and not member.of.uses_system:
                    yield place, f"{member.strategy} translates nothing, so no system is named"
            if len({*members}) < len(members):
                yield place, "a member is listed twice"
