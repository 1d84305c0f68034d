"""What each way of using translation will be able to do for a language, and why not."""

from dataclasses import dataclass
from typing import Any, Literal

from pipeline.specs.experiment import Experiment
from pipeline.specs.manifests import TaskManifest
from pipeline.specs.systems import TrainedSystem
from pipeline.stages.leakage import text_to_translate
from pipeline.stages.stage import Stage
from pipeline.stages.ways import lacking, strategies_of
from tasks.transfer.strategies import ZERO_SHOT


@dataclass(frozen=True)
class Ability:
    """Whether something can be done, and what to know about it."""

    possible: Literal["yes", "in part", "no"]
    why: str = ""


@dataclass(frozen=True)
class Scripts:
    """The scripts of the hub and of a language; empty where nobody knows them yet."""

    hub: list[str]
    language: list[str]

    @property
    def differ(self) -> bool:
        """Say whether the two are known to share no script."""
        return bool(self.hub and self.language) and not {*self.hub} & {*self.language}


def transfer(
    study: Experiment, task: TaskManifest, language: str, *, scripts: Scripts
) -> dict[str, Ability]:
    """Return what each strategy can do for a language in a task.

    For the hub itself, only what cannot be told of it.
    """
    if language == study.hub:
        own = [strategy for strategy in strategies_of(study) if not strategy.per_language]
        lacks = {s.name: lacking(study, task.name, s, language) for s in own}
        return {name: Ability("no", why) for name, why in lacks.items() if why}
    if language not in task.texts:
        why = f"{task.name} has no text in {language}, so there is nothing to test on"
        return dict.fromkeys(study.transfer.all_strategies, Ability("no", why))
    systems = f"with {', '.join(study.transfer_systems)}"
    return {
        strategy.name: Ability("no", why)
        if (why := lacking(study, task.name, strategy, language))
        else _zero_shot(study, scripts)
        if strategy.name == ZERO_SHOT
        else Ability("yes", systems if strategy.uses_system else "")
        for strategy in strategies_of(study)
        if strategy.per_language
    }


def _zero_shot(study: Experiment, scripts: Scripts) -> Ability:
    encoders = study.transfer.encoders
    blind = [name for name, encoder in encoders.items() if encoder.letters]
    if not (scripts.differ and blind):
        return Ability("yes")
    hub, language = ("/".join(found) for found in (scripts.hub, scripts.language))
    why = f"no letters in common ({hub} and {language}) for {' and '.join(blind)}"
    others = [name for name in encoders if name not in blind]
    return Ability("in part", f"{why}; {', '.join(others)} can") if others else Ability("no", why)


def back_translation(of: Stage[Any], language: str) -> Ability:
    """Say whether a language's own text, and the hub's into it, will be back-translated."""
    study = of.study
    if not any(isinstance(s, TrainedSystem) and s.synthetic for s in study.systems.values()):
        return Ability("no", "no system trains on synthetic text")
    sides = dict.fromkeys((language, study.hub))
    without = [side for side in sides if not text_to_translate(of, side)]
    if not without:
        return Ability("yes", f"text in {' and '.join(sides)}")
    why = f"no monolingual text in {' or '.join(without)}"
    if len(without) == len(sides):
        return Ability("no", f"{why}; list some under `monolingual` of a pair")
    (left,) = (side for side in sides if side not in without)
    return Ability("in part", f"{why}; text in {left} is back-translated")
