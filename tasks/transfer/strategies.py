"""Ways to use labelled text of one language for another, as data: a new one is one more entry."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.transfer.texts import Mixture, Route, Side, TextVersion

TARGET_DEV, TRANSLATED_DEV, SOURCE_DEV = "target dev", "translated dev", "source dev"
"""Dev data, the best to choose by first: the language's own, the hub's translated, the hub's."""
DEV_DATA = (TARGET_DEV, TRANSLATED_DEV, SOURCE_DEV)


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """What a classifier is trained on, and on what it is tested.

    `train` may lead to several texts; the classifier learns from all of them together. `transfers`:
    it needs no labelled text of the language, so it competes; the others show what there is to
    reach. `per_language`: its score hangs on the language; not so the hub's own.
    """

    name: str
    train: tuple[Route, ...]
    test: Route
    transfers: bool = True
    per_language: bool = True
    about: str

    @property
    def needs(self) -> tuple[tuple[Side, str], ...]:
        """Whose labelled set must have which part."""
        return *((route.of, "train") for route in self.train), (self.test.of, "test")

    @property
    def translates(self) -> bool:
        """Say whether anything is translated."""
        return any(route.to for route in (*self.train, self.test))

    @property
    def uses_system(self) -> bool:
        """Say whether it hangs on a system: wherever something is translated."""
        return self.translates

    def hops(self, hub: str, language: str) -> list[tuple[str, str]]:
        """Return source and target of all that is translated for a language, each once.

        Of what is translated into every language only this one.
        """
        texts = [*self.training_text(hub, language, [language]).versions]
        texts.append(self.test.between(hub, language))
        return [*dict.fromkeys(hop for text in texts for hop in text.hops)]

    @property
    def uses_encoder(self) -> bool:
        """Say whether it hangs on an encoder, as all strategies do."""
        return True

    @property
    def shots(self) -> int:
        """How many labels of a class of the language it is given; 0 where it takes all or none."""
        return max(route.shots for route in self.train)

    def training_text(self, hub: str, language: str, every: Sequence[str]) -> Mixture:
        """Return what is trained on for a language of a task that has `every` language."""
        return Mixture(
            tuple(v for route in self.train for v in route.versions(hub, language, every))
        )

    def own_dev(self, training: Mixture, test: TextVersion) -> tuple[tuple[str, str], ...]:
        """Return which dev data each version of a training text brings, as (version, dev data).

        Of several translated ones only that counts which is in the language of the test text.
        """
        if not self.per_language:
            return ()
        return tuple(
            (str(version), TRANSLATED_DEV if version.to else SOURCE_DEV)
            for version in training.versions
            if not version.shots
            if version.of != test.of
            if not version.to or version.language == test.language
        )

    @property
    def test_dev(self) -> str:
        """Which dev data the dev part of the test text is."""
        return TARGET_DEV if self.per_language else SOURCE_DEV


ZERO_SHOT, TRANSLATE_TRAIN, TRANSLATE_TEST = "zero-shot", "translate-train", "translate-test"
TRANSLATE_TRAIN_HUB, TRANSLATE_TRAIN_ALL = "translate-train+hub", "translate-train-all"
ROUND_TRIP = "round-trip"
IN_LANGUAGE, SOURCE = "in-language", "source"

STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy(
            name=ZERO_SHOT,
            train=(Route("hub"),),
            test=Route("language"),
            about="trained on the hub's text, tested on the language's",
        ),
        Strategy(
            name=TRANSLATE_TRAIN,
            train=(Route("hub", ("language",)),),
            test=Route("language"),
            about="trained on the hub's text translated into the language",
        ),
        Strategy(
            name=TRANSLATE_TRAIN_HUB,
            train=(Route("hub"), Route("hub", ("language",))),
            test=Route("language"),
            about="trained on the hub's text and its translation into the language",
        ),
        Strategy(
            name=TRANSLATE_TRAIN_ALL,
            train=(Route("hub"), Route("hub", ("every",))),
            test=Route("language"),
            about="trained on the hub's text and its translations into all languages of the task, "
            "one classifier for all",
        ),
        Strategy(
            name=TRANSLATE_TEST,
            train=(Route("hub"),),
            test=Route("language", ("hub",)),
            about="trained on the hub's text, tested on text translated into the hub's language",
        ),
        Strategy(
            name=ROUND_TRIP,
            train=(Route("hub", ("language", "hub")),),
            test=Route("language", ("hub",)),
            about="trained on the hub's text translated into the language and back, tested on text "
            "translated into the hub's language",
        ),
        Strategy(
            name=IN_LANGUAGE,
            train=(Route("language"),),
            test=Route("language"),
            transfers=False,
            about="trained on labelled text of the language itself: what there is to reach",
        ),
        Strategy(
            name=SOURCE,
            train=(Route("hub"),),
            test=Route("hub"),
            transfers=False,
            per_language=False,
            about="trained and tested in the hub's language: how hard the task is",
        ),
    )
}
DEFAULT_STRATEGIES = (ZERO_SHOT, TRANSLATE_TRAIN, TRANSLATE_TEST, IN_LANGUAGE, SOURCE)
"""What an experiment runs that names none."""

FEW_SHOT, ON_HUB = "few-shot", "+hub"


def few_shot(shots: int, *, on_hub: bool) -> Strategy:
    """Return training on a few labels of the language, alone or with the hub's text."""
    own = Route("language", shots=shots)
    alone = f"trained on {shots} labelled items of each class of the language itself"
    return Strategy(
        name=f"{FEW_SHOT}-{shots}{ON_HUB if on_hub else ''}",
        train=(Route("hub"), own) if on_hub else (own,),
        test=Route("language"),
        transfers=False,
        about=f"{alone} and on the hub's text, each half by weight" if on_hub else alone,
    )
