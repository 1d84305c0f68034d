"""Read YAML into specs; report every problem of a file at once, with line, field and a way out."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from models.support.errors import SpecError
from pipeline.specs.adaptations import expand_encoders
from pipeline.specs.describing import TEXT, describe, describe_place, line_of, truth_values
from pipeline.specs.encoders import EncoderManifest
from pipeline.specs.experiment import Experiment
from pipeline.specs.manifests import FieldsError, Manifest, PairManifest, TaskManifest
from pipeline.specs.suggesting import suggest
from pipeline.specs.systems import DEFAULT, expand
from tasks.sources.fetching import is_remote

MANIFESTS = Path(__file__).parents[2] / "data_manifests"

LISTS = ("encoder", "translator", "identifier")
"""The kinds of manifests in `models/` that are lists of languages."""

AnyManifest = TypeVar("AnyManifest", bound=Manifest)


def find_manifest(kind: str, name_or_path: str, *, near: Path | None = None) -> Path:
    """Return the file of a manifest given by path, or by name in `data_manifests/<kind>/`.

    `near` is a folder searched first (that of the experiment which names it). Raises SpecError with
    the closest names when there is none.
    """
    as_path = Path(name_or_path)
    candidates = [as_path] if as_path.suffix in (".yaml", ".yml") else []
    if near is not None:
        candidates = [near / path for path in candidates] + candidates
    folders = [near / f"../{kind}", near] if near is not None else []
    candidates += [folder / f"{name_or_path}.yaml" for folder in [*folders, MANIFESTS / kind]]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    searched = [*folders[:1], MANIFESTS / kind]
    known = sorted({path.stem for folder in searched for path in folder.glob("*.yaml")})
    raise SpecError(f"no {kind} manifest {name_or_path!r}{suggest(name_or_path, known)}")


def load_experiment(name_or_path: str) -> Experiment:
    """Read an experiment and the pair and task manifests it names."""
    path = find_manifest("experiments", name_or_path)
    return _load_experiment(path, _read(path))


@lru_cache
def _load_experiment(path: Path, text: str) -> Experiment:
    data = _parse(path, text)
    near = path.parent
    if isinstance(data, dict):
        for kind, model in (("pairs", PairManifest), ("tasks", TaskManifest)):
            names = data.get(kind, [])
            if isinstance(names, list) and all(isinstance(n, str) for n in names):
                files = [find_manifest(kind, name, near=near) for name in names]
                data[kind] = [load_manifest(file, model) for file in files]
        _name_what_replaced(path, text, data)
        data["models"] = _models(path, text, data)
        data = _expanded(path, text, data)
    return _validate(path, text, data, Experiment)


def _models(path: Path, text: str, data: Mapping[str, Any]) -> dict[str, EncoderManifest]:
    """Return the manifest of each model that an encoder of an experiment names."""
    if "models" in data:
        problem = describe_place(text, ["models"], "unknown field; encoders name their models")
        raise _problems(path, [problem])
    transfer = data.get("transfer")
    encoders = transfer.get("encoders") if isinstance(transfer, dict) else None
    listed = encoders.values() if isinstance(encoders, dict) else ()
    names = [encoder.get("model") for encoder in listed if isinstance(encoder, dict)]
    return {
        name: load_encoder(name, near=path.parent)
        for name in dict.fromkeys(names)
        if isinstance(name, str)
    }


def load_encoder(name: str, *, near: Path | None = None) -> EncoderManifest:
    """Read the manifest of a pretrained encoder by its name.

    Raises SpecError for one that does not exist, and for a mere list of languages.
    """
    path = find_manifest("models", name, near=near)
    found = _parse(path, _read(path))
    if isinstance(found, dict) and found.get("kind") in LISTS:
        encoders = [
            other.stem
            for other in sorted(path.parent.glob("*.yaml"))
            if f"languages_of: {name}" in _read(other)
        ]
        hint = f"; encoders with this list: {', '.join(encoders)}" if encoders else ""
        raise SpecError(f"{path}: a list of the languages of {name}, without weights{hint}")
    manifest = load_manifest(path, EncoderManifest)
    if manifest.languages_of:
        find_manifest("models", manifest.languages_of, near=near)
    return manifest


def _name_what_replaced(path: Path, text: str, data: dict[str, Any]) -> None:
    """Raise SpecError where an experiment speaks of rounds; show the systems to write instead."""
    old = [field for field in ("back_translation", "retrain") if field in data]
    if old:
        line = line_of(text, [old[0]])
        raise SpecError(
            f"{path}: line {line}: `{old[0]}` is no more: an experiment names its systems. Write\n"
            + instead_of_rounds(data)
        )


def instead_of_rounds(data: Mapping[str, Any]) -> str:
    """Return the YAML of systems that does what the rounds of an old experiment did."""
    found = data.get("back_translation")
    old = found if isinstance(found, dict) else {}
    engines = old.get("engines") or ["nmt"]
    decoding = f", decoding: {{beam: {old['beam']}}}" if "beam" in old else ""
    retrain = data.get("retrain")
    recipe = f", nmt: {json.dumps(retrain)}" if isinstance(retrain, dict) else ""
    lines = ["systems:", "  gloss: {kind: gloss}", "  base: {kind: trained}"]
    last = "base"
    for number in range(1, int(old.get("rounds", 1)) + 1):
        by = [last if engine == "nmt" else "gloss" for engine in engines]
        texts = ", ".join(f"{{by: {name}{decoding}}}" for name in by)
        name = "bt" if number == 1 else f"bt-{number}"
        lines.append(f"  {name}: {{like: base, synthetic: [{texts}]{recipe}}}")
        last = name
    kept = {k: old[k] for k in ("max_sentences", "task_text", "shards") if k in old}
    if kept:
        lines.append(f"monolingual: {json.dumps(kept)}")
    return "\n".join(f"  {line}" for line in lines)


def _expanded(path: Path, text: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return an experiment with all its systems written out."""
    try:
        systems = expand(data.get("systems", DEFAULT), data.get("grids", {}), data.get("nmt"))
        transfer = _expanded_transfer(data.get("transfer"))
    except FieldsError as error:
        lines = [describe_place(text, place, what) for place, what in error.found]
        raise _problems(path, lines) from error
    return {**{k: v for k, v in data.items() if k != "grids"}, "systems": systems, **transfer}


def _expanded_transfer(transfer: Any) -> dict[str, Any]:
    """Return what an experiment says of tasks with all its encoders written out."""
    if not isinstance(transfer, dict) or "encoders" not in transfer:
        return {} if transfer is None else {"transfer": transfer}
    return {"transfer": {**transfer, "encoders": expand_encoders(transfer["encoders"])}}


def load_manifest(path: Path, model: type[AnyManifest]) -> AnyManifest:
    """Read one pair or task manifest."""
    text = _read(path)
    data = _parse(path, text)
    _resolve_local_bases(data, path.parent)
    return _validate(path, text, data, model)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read: {error}") from error


def _parse(path: Path, text: str) -> Any:
    try:
        return yaml.load(text, Loader=_UniqueKeys)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        raise SpecError(f"{path}: not valid YAML: {error}") from error


MERGE = "tag:yaml.org,2002:merge"


class _UniqueKeys(yaml.SafeLoader):
    """YAML as the standard has it: a key stands once. PyYAML itself keeps the last silently.

    Keys are names, so they are read as they are written: `no` is no truth value there.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key.value!r} stands here a second time", key.start_mark
                )
            seen.add(key.value)
            if key.tag != MERGE:
                key.tag = TEXT
        return super().construct_mapping(node, deep)


def _resolve_local_bases(data: Any, folder: Path) -> None:
    """Make local folders absolute; they are written relative to their manifest."""
    if isinstance(data, dict):
        if data.get("kind") == "dataset" and (local := folder / str(data.get("name"))).is_dir():
            data["name"] = str(local.resolve())
        if data.get("kind") == "folder" and isinstance(data.get("path"), str):
            data["path"] = str((folder / data["path"]).resolve())
        base = data.get("base")
        if isinstance(base, str) and not is_remote(base) and "://" not in base:
            data["base"] = str((folder / base).resolve())
        for value in data.values():
            _resolve_local_bases(value, folder)
    elif isinstance(data, list):
        for value in data:
            _resolve_local_bases(value, folder)


def _validate(path: Path, text: str, data: Any, model: type[AnyManifest]) -> AnyManifest:
    mistaken = truth_values(data, model)
    try:
        manifest = TypeAdapter(model).validate_python(data)
    except ValidationError as error:
        raise _problems(path, describe(error, mistaken, text, model)) from error
    if mistaken:
        raise _problems(path, describe(None, mistaken, text, model))
    return manifest


def _problems(path: Path, problems: Sequence[str]) -> SpecError:
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    return SpecError("\n".join([f"{path}: {count}", *problems]))
