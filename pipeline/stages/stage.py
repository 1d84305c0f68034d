"""The base of every stage: fingerprint, completeness, one body that builds and publishes.

A stage declares its parameters, the part of the experiment it uses (`spec`), what it needs
(`requires`) and a `build` function. `build` is static and receives only spec and inputs, so it
cannot read a field that its fingerprint does not cover.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from multiprocessing import parent_process
from typing import Any, ClassVar, Generic, TypeVar

import luigi
from pydantic_core import to_jsonable_python

from models.support.errors import naming_full_disk
from models.support.processes import leave_signals_to_parent
from pipeline.console import Reporter
from pipeline.settings import Settings
from pipeline.specs.experiment import Experiment
from pipeline.specs.loading import load_experiment
from pipeline.store import Artifact, Draft, Place, Share, exclusive

FINGERPRINT_DIGITS = 16
LATER_FIELDS = {"realign", "clauses", "lora"}
"""Fields of specs that are older: unset, they change no fingerprint."""

SpecT = TypeVar("SpecT")
Requirements = Mapping[str, "Stage[Any] | list[Stage[Any]]"]


@dataclass(frozen=True)
class Inputs:
    """The finished artifacts a stage builds from, by the names its `requires` gave them."""

    artifacts: Mapping[str, list[Artifact]]

    def one(self, name: str) -> Artifact:
        """Return the single artifact of that name."""
        (artifact,) = self.artifacts[name]
        return artifact

    def many(self, name: str) -> list[Artifact]:
        """Return all artifacts of that name, in the order of `requires`; none if it is absent."""
        return self.artifacts.get(name, [])


class Stage(luigi.Task, Generic[SpecT]):
    """One artifact of the DAG."""

    VERSION: ClassVar[int] = 1
    LIBRARIES: ClassVar[tuple[str, ...]] = ()
    """What `build` imports at length; imported once before the workers fork, not in each fork."""

    retry_count = 3
    """How often a shared scheduler has a failing stage tried before it gives it up."""

    experiment = luigi.Parameter(description="name or path of an experiment manifest")

    def spec(self) -> SpecT:
        """Return the part of the experiment that this stage's result depends on."""
        raise NotImplementedError

    def label(self) -> str:
        """Return a short readable name, unique among the stage's artifacts of one experiment."""
        raise NotImplementedError

    def slug(self) -> str:
        """Return what the artifact's folder is called: a label without the names of systems.

        Names stay out of it, so that renaming a system rebuilds nothing.
        """
        return self.label()

    def requires(self) -> Requirements:
        """Return the stages this one builds from, by name."""
        return {}

    def needs(self) -> dict[str, int]:
        """Return what a worker must have to take this stage: processors, and GPUs if it must."""
        return {"cpu": 1}

    def gpus(self) -> int:
        """Return how many GPUs `build` uses on this machine."""
        return 0

    @staticmethod
    def build(spec: Any, inputs: Inputs, out: Draft) -> None:
        """Make the artifact in `out.folder`."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What people call this stage of an experiment: its kind and its label."""
        return f"{type(self).__name__} {self.label()}"

    @cached_property
    def study(self) -> Experiment:
        """The parsed experiment."""
        return load_experiment(str(self.experiment))

    @cached_property
    def inputs(self) -> dict[str, list["Stage[Any]"]]:
        """What is required, each name with a list."""
        return {
            name: list(needed) if isinstance(needed, list) else [needed]
            for name, needed in self.requires().items()
        }

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Everything the fingerprint covers."""
        return {
            "stage": type(self).__name__,
            "version": self.VERSION,
            "spec": canonical_spec(to_jsonable_python(self.spec())),
            "inputs": {
                name: [stage.fingerprint for stage in stages]
                for name, stages in self.inputs.items()
            },
        }

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of stage, version, spec and the fingerprints of the inputs."""
        canonical = json.dumps(self.identity, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT_DIGITS]

    @property
    def place(self) -> Place:
        """Where the artifact lies, or will lie."""
        store = Settings.from_environment().store
        return Place(store, type(self).__name__, f"{self.slug()}-{self.fingerprint}")

    @property
    def artifact(self) -> Artifact:
        """The artifact; look at `usable` first, or at `complete` to build on it."""
        return Artifact(self.place.artifact)

    def output(self) -> luigi.LocalTarget:
        """Return the manifest, whose presence means that the artifact is whole."""
        return luigi.LocalTarget(str(self.place.artifact / "manifest.json"))

    def complete(self) -> bool:
        """Say whether the artifact is whole and need not be built again."""
        return self.place.complete

    def usable(self) -> bool:
        """Say whether the artifact may be read, be it one that is to be built again."""
        return self.place.usable

    def run(self) -> None:
        """Build into a draft folder and publish it with one rename."""
        if parent_process():
            leave_signals_to_parent()
        with (
            Reporter(self) as reporter,
            naming_full_disk(self.place.store),
            exclusive(self.place),
        ):
            self.place.finish_replacing()
            if self.complete():
                reporter.found()
                return
            with Draft(self.place, reporter.progress, self._share()) as draft:
                self.build(self.spec(), self.built_inputs, draft)
                draft.publish({**self.identity, **self._provenance()})

    def _share(self) -> Share:
        """Return what this stage has of the machine while it builds."""
        return Share(cpus=self.needs()["cpu"], gpus=self.gpus())

    def walk(self) -> Iterator["Stage[Any]"]:
        """Yield this stage and everything it needs, each once, depth first."""
        seen: set[str] = set()
        pending: list[Stage[Any]] = [self]
        while pending:
            stage = pending.pop()
            if stage.task_id not in seen:
                seen.add(stage.task_id)
                yield stage
                pending += reversed(list(chain(*stage.inputs.values())))

    @property
    def built_inputs(self) -> Inputs:
        """The artifacts of what is required; look at their `complete` first."""
        return Inputs({n: [s.artifact for s in stages] for n, stages in self.inputs.items()})

    def _provenance(self) -> dict[str, Any]:
        return {
            "label": self.label(),
            "fingerprint": self.fingerprint,
            "experiment": self.study.name,
            "upstream": [s.place.key for stages in self.inputs.values() for s in stages],
        }


def canonical_spec(spec: Any) -> Any:
    """Return what of a spec decides: no folders of local sources, no later field that says nothing.

    Local files count by content, wherever they lie. A field that came later and is not set leaves
    a spec what it was before there was one, and so does a training that its loss stops.
    """
    if isinstance(spec, list):
        return [canonical_spec(part) for part in spec]
    if not isinstance(spec, dict):
        return spec
    folder = {"files": "base", "dataset": "name", "folder": "path"}.get(str(spec.get("kind")))
    blank = {folder: ""} if folder and str(spec.get(folder)).startswith("/") else {}
    spec = _stopped_as_before(spec)
    said = {name: value for name, value in spec.items() if value or name not in LATER_FIELDS}
    return {name: canonical_spec(value) for name, value in said.items()} | blank


def _stopped_as_before(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec with a recipe's `stop` as it was when `patience` alone could be said."""
    stop = spec.get("stop")
    if not isinstance(stop, dict) or "patience" not in stop:
        return spec
    rest = {name: value for name, value in spec.items() if name != "stop"}
    by = {} if stop["metric"] == "loss" else {"stop": stop["metric"]}
    return {**rest, "patience": stop["patience"], **by}
