"""Profile a file, or every corpus of an experiment, as its source has it: before cleaning."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from models.language_id import identify
from models.subwords import Subwords
from models.support.errors import SourceError, SpecError
from pipeline.running import building
from pipeline.specs.experiment import Experiment
from pipeline.specs.formats import Format, format_for
from pipeline.specs.loading import load_experiment
from pipeline.stages.corpora import RawCorpus, monolingual_corpora
from pipeline.stages.filtering import SCORES, BitextScores, MonolingualScores
from pipeline.stages.leakage import all_labelled
from pipeline.stages.subwords import SUBWORDS, SubwordModel
from tasks.filtering import text_scorers, worst_lines, write_scores
from tasks.profiling import EXCERPT_CHARACTERS, Example, Profile, Profiler
from tasks.records import RecordWriter
from tasks.sources.description import (
    Corpus,
    Files,
    PlainText,
    RemoteFile,
)
from tasks.sources.fetching import fetch, local_name
from tasks.sources.naming import find_text_column
from tasks.sources.reading import FetchedCorpus, read_corpus
from tasks.sources.sniffing import Sniffed, only_member, place_of, sniff


@dataclass(frozen=True)
class TextProfile:
    """The profile of one text; `missing` says why a measure is None."""

    kind: str
    owner: str
    corpus: str
    language: str | None
    profile: Profile
    missing: dict[str, str]

    @property
    def name(self) -> str:
        """How people call the text."""
        return " ".join(filter(None, (self.kind, self.owner, self.corpus, self.language)))

    def as_record(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        whose = {"kind": self.kind, "owner": self.owner, "corpus": self.corpus}
        measures = {**asdict(self.profile), "missing": self.missing}
        return {**whose, "language": self.language, **measures}


class RawText(NamedTuple):
    """A corpus of an experiment and the fields of its rows that hold text, each with its language.

    `kind` is bitext, monolingual or labelled; `owner` the pair or task that lists the corpus.
    """

    kind: str
    owner: str
    stage: RawCorpus
    corpus: Corpus
    fields: Mapping[str, str]


class Measures(NamedTuple):
    """What profiles are measured with, and why some of it is missing."""

    subwords: Subwords | None
    missing: dict[str, str]

    def profiler(self) -> Profiler:
        """Return a profiler for one text."""
        return Profiler(identify=identify, subwords=self.subwords)


def profile(file_or_experiment: str, *, column: str | None = None) -> Iterator[TextProfile]:
    """Yield the profile of a text file, or of every text of an experiment.

    A YAML file is an experiment. Raises SourceError for a text that cannot be read.
    """
    path, member = place_of(file_or_experiment)
    if path.is_file() and path.suffix not in (".yaml", ".yml"):
        yield profile_file(path, member=member, column=column)
    elif column is not None:
        raise SpecError(f"{path}: --column names the text of a file, and this is none")
    else:
        yield from profile_experiment(_experiment(file_or_experiment))


def profile_file(path: Path, *, member: str | None, column: str | None) -> TextProfile:
    """Profile one file, packed or not: plain text by line, or a column of a table."""
    member = member or only_member(path)
    file = RemoteFile(name=path.name, member=member, language="text")
    base = str(path.parent.absolute())
    source = Files(kind="files", base=base, files=(file,), format=PlainText())
    name = member or path.name
    no_model = "a file has no subword model; name an experiment that has trained one"
    measures = _measures(None, no_model)
    with tempfile.TemporaryDirectory() as folder:
        fetch(source, Path(folder), mirror=None)
        looks = sniff(Path(folder) / local_name(file), name)
        source = replace(source, format=_format(str(path), looks, column))
        fetched = FetchedCorpus(Corpus(name=name, source=source, licence=""), Path(folder))
        (found,) = _profiles(fetched, ["text"], measures)
        if found.scripts:
            found.examples.update(_worst_lines_of_file(fetched, next(iter(found.scripts))))
    return TextProfile("file", "", name, None, found, measures.missing)


def profile_experiment(experiment: str) -> Iterator[TextProfile]:
    """Fetch what is missing of an experiment's corpora and yield the profile of each text."""
    texts = list(raw_texts(experiment))
    building.run([text.stage for text in texts])
    model = SubwordModel(experiment=experiment)
    no_model = f"no subword model yet: sprachbund run {experiment} --until SubwordModel"
    subwords = Subwords(model.artifact.path(SUBWORDS)) if model.usable() else None
    measures = _measures(subwords, no_model)
    for text in texts:
        fetched = FetchedCorpus(text.corpus, text.stage.artifact.folder / "raw")
        profiles = _profiles(fetched, list(text.fields), measures)
        profiles[0].examples.update(_worst_lines(experiment, text))
        for language, found in zip(text.fields.values(), profiles, strict=True):
            where = (text.kind, text.owner, text.corpus.name, language)
            yield TextProfile(*where, profile=found, missing=measures.missing)


def raw_texts(experiment: str) -> Iterator[RawText]:
    """Yield every corpus of an experiment that holds text: bitext, monolingual, labelled."""
    study = load_experiment(experiment)

    def stage(kind: str, owner: str, part: str, corpus: Corpus) -> RawCorpus:
        named = {"kind": kind, "owner": owner, "part": part, "corpus": corpus.name}
        return RawCorpus(experiment=experiment, **named)

    for pair in study.pairs:
        sides = {language: language for language in pair.languages}
        for corpus in pair.parallel:
            raw = stage("pair", pair.name, "parallel", corpus)
            yield RawText("bitext", pair.name, raw, corpus, sides)
    for language, owner, corpus in _monolingual(study):
        raw = stage("pair", owner, language, corpus)
        yield RawText("monolingual", owner, raw, corpus, {language: language})
    for task, language in all_labelled(study):
        corpus = study.task(task).texts[language]
        yield RawText(
            "labelled", task, stage("task", task, language, corpus), corpus, {"text": language}
        )


def _worst_lines(experiment: str, text: RawText) -> dict[str, list[Example]]:
    """Return the worst lines of a corpus by filter, where its text has been scored."""
    languages = tuple(text.fields)
    stage: BitextScores | MonolingualScores
    if text.kind == "bitext":
        stage, name = BitextScores(experiment=experiment, pair=text.owner), "train.parquet"
    elif text.kind == "monolingual":
        stage = MonolingualScores(experiment=experiment, language=languages[0])
        name = "text.parquet"
    else:
        return {}
    if not stage.usable():
        return {}
    cleaned = stage.cleaned().artifact.path(name)
    return _worst(cleaned, languages, stage.artifact.path(SCORES), corpus=text.corpus.name)


def _worst_lines_of_file(fetched: FetchedCorpus, script: str) -> dict[str, list[Example]]:
    """Return the worst lines of a text by the filters that need nothing but its main script."""
    text, scores = fetched.folder / "text.parquet", fetched.folder / "scores.parquet"
    with RecordWriter(text, ["id", "text"]) as writer:
        for row in read_corpus(*fetched):
            writer.write({"id": f"file:{row.key}", "text": row.fields["text"]})
    write_scores(text, ["text"], text_scorers(["text"], {"text": script}), scores)
    return _worst(text, ["text"], scores, corpus="file")


def _worst(
    text: Path, columns: Sequence[str], scores: Path, *, corpus: str
) -> dict[str, list[Example]]:
    return {
        f"filter {name}": [
            Example(line.id.partition(":")[2], line.text[:EXCERPT_CHARACTERS], line.score)
            for line in lines
        ]
        for name, lines in worst_lines(text, columns, scores, corpus=corpus).items()
    }


def profiles_json(profiles: list[TextProfile]) -> str:
    """Return profiles as a JSON list."""
    records = [found.as_record() for found in profiles]
    return json.dumps(records, indent=1, ensure_ascii=False) + "\n"


def _monolingual(study: Experiment) -> Iterator[tuple[str, str, Corpus]]:
    for language in (study.hub, *study.languages):
        for owner, corpus in monolingual_corpora(study, language):
            yield language, owner, corpus


def _profiles(fetched: FetchedCorpus, fields: list[str], measures: Measures) -> list[Profile]:
    """Read a corpus once and return the profile of each of its fields."""
    profilers = [measures.profiler() for _ in fields]
    for row in read_corpus(*fetched):
        for field, profiler in zip(fields, profilers, strict=True):
            profiler.add(row.fields[field], row.key)
    return [profiler.profile() for profiler in profilers]


def _measures(subwords: Subwords | None, no_model: str) -> Measures:
    names = () if subwords else ("pieces_a_word", "unknown_pieces_share")
    return Measures(subwords, dict.fromkeys(names, no_model))


def _format(path: str, looks: Sniffed, column: str | None) -> Format:
    """Return how to read the column of a file that looks like this.

    Raises SpecError for a table whose text column is not named, and for a line file that has none.
    """
    if looks.kind in ("text", "verses"):
        if column is not None:
            what = "plain text" if looks.kind == "text" else "a Bible"
            raise SpecError(f"{path}: {what}, which has no --column")
        return format_for(looks, path, {})
    if column is None:
        listed = "".join(f"\n  {name}: {value[:40]!r}" for name, value in looks.columns.items())
        likely = find_text_column(looks.columns) or next(iter(looks.columns), "text")
        raise SpecError(
            f"{path}: say where its text is, for instance --column {quote(likely)}; it has:{listed}"
        )
    return format_for(looks, path, {"text": column})


def _experiment(name: str) -> str:
    """Return the name of an experiment that exists; say it when a missing file is meant."""
    try:
        load_experiment(name)
    except SpecError as error:
        path = Path(name)
        if path.exists() or path.suffix in (".yaml", ".yml") or name == path.stem:
            raise
        raise SourceError(f"{name}: no such file, and no experiment of that name") from error
    return name
