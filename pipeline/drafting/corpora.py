"""Describe corpora made of a user's own files: unpack, sniff, name what holds what, profile."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple

from models.support.errors import SourceError, SpecError
from pipeline.drafting.checking import CorpusProfile, profile_corpus
from pipeline.specs.suggesting import suggest
from tasks.sources.description import (
    Columns,
    Corpus,
    Files,
    JsonLines,
    PlainText,
    RemoteFile,
    Table,
    TranslationMemory,
)
from tasks.sources.fetching import fetch, local_name
from tasks.sources.naming import find_column, find_id_column, find_language, find_text_column
from tasks.sources.reading import FetchedCorpus, read_corpus
from tasks.sources.sniffing import Sniffed, only_member, sniff
from tasks.sources.tags import covers, find_tag

Format = Table | JsonLines | PlainText | TranslationMemory

LONGEST_EXAMPLE = 40


class DraftedCorpus(NamedTuple):
    """A corpus of local files, what it holds, and what about it is a mere guess."""

    name: str
    source: Files
    profile: CorpusProfile
    doubts: Sequence[str]


class GivenFile(NamedTuple):
    """A file as the user names it, and what it looks like."""

    name: str
    file: RemoteFile
    looks: Sniffed


class Unpacked(NamedTuple):
    """Files below one folder `base`, unpacked into another."""

    files: Sequence[GivenFile]
    base: Path
    folder: Path


def unpack(arguments: Sequence[str], folder: Path) -> Unpacked:
    """Unpack and sniff files; one inside a zip is written `FILE.zip:MEMBER`.

    Raises SpecError for a file that does not exist, SourceError for one that cannot be read.
    """
    places = [_place(argument) for argument in arguments]
    base = Path(os.path.commonpath([path.resolve().parent for path, _ in places]))
    given = []
    for path, member in places:
        file = RemoteFile(name=path.resolve().relative_to(base).as_posix(), member=member)
        source = Files(kind="files", base=str(base), files=(file,), format=PlainText())
        (facts,) = fetch(source, folder, mirror=None)
        looks = sniff(folder / local_name(file), member or path.name)
        given.append(GivenFile(member or path.name, replace(file, sha256=facts["sha256"]), looks))
    return Unpacked(given, base, folder)


def _place(argument: str) -> tuple[Path, str | None]:
    """Return the path of a file and, where it is packed in a zip, its name there."""
    archive, _, member = argument.rpartition(".zip:")
    if archive and not Path(argument).exists():
        path = Path(f"{archive}.zip")
    else:
        path, member = Path(argument), ""
    if not path.is_file():
        raise SpecError(f"{path}: no such file")
    return path, member or only_member(path)


def draft_parallel(
    name: str, unpacked: Unpacked, languages: tuple[str, str], *, columns: Columns
) -> DraftedCorpus:
    """Describe a bitext: two aligned text files, or one table with a column for each language.

    `columns` says which column holds which language where their names do not. Raises SpecError for
    other files, and for columns that cannot be told.
    """
    kinds = [given.looks.kind for given in unpacked.files]
    if kinds == ["text", "text"] and not columns:
        sides, doubts = _aligned(unpacked.files, languages)
        return _drafted(name, unpacked._replace(files=sides), PlainText(), languages, doubts)
    if (len(kinds) != 1 and {*kinds} != {"tmx"}) or kinds == ["text"]:
        seen = ", ".join(f"{given.name} is {_described(given.looks)}" for given in unpacked.files)
        raise SpecError(
            f"{seen}; expected two plain-text files aligned by line, the hub's first, or one table "
            "(CSV, TSV, JSON lines, TMX) with a column for each language, or several TMX"
        )
    given = _together(unpacked.files)
    form, doubts = _format(given, _language_columns(given, languages, columns))
    return _drafted(name, unpacked, form, languages, doubts)


def _together(files: Sequence[GivenFile]) -> GivenFile:
    """Return the first of several files, with the columns that they have between them."""
    first, *others = files
    columns: dict[str, str] = {}
    for given in (*reversed(others), first):
        columns |= given.looks.columns
    return first._replace(looks=first.looks._replace(columns=columns))


def draft_monolingual(
    name: str, unpacked: Unpacked, language: str, *, column: str | None
) -> list[DraftedCorpus]:
    """Describe text in one language: one corpus for all files of a format.

    `column` says which column of a table holds the text where its name does not. Raises SpecError
    where that cannot be told.
    """
    guesses = [(given, *_monolingual_format(given, language, column)) for given in unpacked.files]
    formats = [form for _, form, _ in guesses]
    drafted: list[DraftedCorpus] = []
    for form in [form for n, form in enumerate(formats) if form not in formats[:n]]:
        spoken = language if isinstance(form, PlainText) else None
        files = [_spoken(given, spoken) for given, other, _ in guesses if other == form]
        doubts = dict.fromkeys(d for _, other, some in guesses if other == form for d in some)
        number = f"-{len(drafted) + 1}" if drafted else ""
        part = unpacked._replace(files=files)
        drafted.append(_drafted(f"{name}{number}", part, form, [language], [*doubts]))
    return drafted


def files_in_words(drafted: DraftedCorpus) -> Iterator[str]:
    """Yield what each file of a corpus is taken for."""
    form = drafted.source.format
    for file in drafted.source.files:
        name = file.name if file.member is None else f"{file.name}:{file.member}"
        if isinstance(form, Table | JsonLines | TranslationMemory):
            columns = ", ".join(f"{language} in {c!r}" for language, c in form.columns.items())
            told = form.id and not isinstance(form, TranslationMemory)
            ids = f", ids in {form.id!r}" if told else ""
            yield f"{name}: {form.kind}, {columns}{ids}"
        else:
            yield f"{name}: plain text, {file.language}"


def _aligned(
    files: Sequence[GivenFile], languages: tuple[str, str]
) -> tuple[list[GivenFile], list[str]]:
    """Return the two sides, the hub's first: by the files' names, else by their order."""
    hub, language = languages
    first, second = (find_language(given.name, languages) for given in files)
    swapped = first != second and (first == language or second == hub)
    sides = files[::-1] if swapped else files
    unsure = [f"which file is in which language: by their order, {hub} first"]
    return [_spoken(*side) for side in zip(sides, languages, strict=True)], (
        unsure if first == second else []
    )


def _spoken(given: GivenFile, language: str | None) -> GivenFile:
    return given._replace(file=replace(given.file, language=language))


def _language_columns(given: GivenFile, languages: Sequence[str], chosen: Columns) -> Columns:
    """Return the column of each language: as chosen, else by name."""
    for language in chosen:
        if language not in languages:
            raise SpecError(f"--columns: {language!r} is not one of {', '.join(languages)}")
    find = find_tag if given.looks.kind == "tmx" else find_column
    found = {
        language: chosen.get(language) or find(language, given.looks.columns)
        for language in languages
    }
    known = {language: column for language, column in found.items() if column}
    if len(set(known.values())) < len(languages):
        wanted = ",".join(f"{language}=COLUMN" for language in languages)
        raise _which_column(given, " and ".join(languages), f"--columns {wanted}")
    return known


def _monolingual_format(
    given: GivenFile, language: str, column: str | None
) -> tuple[Format, list[str]]:
    looks = given.looks
    if looks.kind == "text":
        return PlainText(), []
    find = find_tag if looks.kind == "tmx" else find_column
    named = column or find(language, looks.columns)
    guessed = named or find_text_column(looks.columns)
    if guessed is None:
        raise _which_column(given, language, "--mono-column COLUMN")
    form, doubts = _format(given, {language: guessed})
    if not named:
        doubts.append(f"{given.name}: that the column {guessed!r} holds the text")
    return form, doubts


def _which_column(given: GivenFile, languages: str, option: str) -> SpecError:
    shown = "".join(
        f"\n  {column}: {value[:LONGEST_EXAMPLE]!r}"
        for column, value in given.looks.columns.items()
    )
    by_number = " (by number, 1 and on, if the first row is text)" if given.looks.header else ""
    return SpecError(
        f"{given.name}: its columns do not say which holds {languages}:{shown}\n"
        f"say it with {option}{by_number}"
    )


def _format(given: GivenFile, columns: Columns) -> tuple[Format, list[str]]:
    """Return the format that reads these columns; numbers that are no names mean: no header."""
    looks = given.looks
    if looks.kind == "tmx":
        return TranslationMemory(kind="tmx", columns={**columns}), [*_covered(given, columns)]
    unknown = [column for column in columns.values() if column not in looks.columns]
    numbers = {str(number) for number in range(1, len(looks.columns) + 1)}
    numbered = looks.kind in ("csv", "tsv") and numbers.issuperset(columns.values())
    if unknown and not numbered:
        hint = suggest(unknown[0], looks.columns)
        raise SpecError(f"{given.name}: there is no column {unknown[0]!r}{hint}")
    if looks.kind == "jsonl":
        return JsonLines(kind="jsonl", columns=columns), []
    quoted = looks.kind == "tsv" and all(
        looks.columns.get(column, "").startswith('"') for column in columns.values()
    )
    doubts = ["the text is in quotes, which a tsv keeps; if they are none of it, write a csv"]
    kind: Literal["csv", "tsv"] = "csv" if looks.kind == "csv" else "tsv"
    header = looks.header and not unknown
    return Table(kind=kind, columns=columns, header=header), doubts if quoted else []


def _covered(given: GivenFile, columns: Columns) -> Iterator[str]:
    """Yield which tags of a memory are taken for one language, where they are several."""
    for language, tag in columns.items():
        found = [other for other in given.looks.columns if covers(tag, other)]
        if len(found) > 1:
            yield f"{given.name}: {language} in all of {', '.join(found)}"


def _drafted(
    name: str,
    unpacked: Unpacked,
    form: Format,
    languages: Sequence[str],
    doubts: Sequence[str],
) -> DraftedCorpus:
    """Take the ids of a table where they are sound, and read everything."""
    files = tuple(given.file for given in unpacked.files)
    source = Files(kind="files", base=str(unpacked.base), files=files, format=form)
    columns = unpacked.files[0].looks.columns
    keyed = _with_ids(source, columns)
    if keyed is not None:
        if wrong := _unsound_ids(FetchedCorpus(_corpus(name, keyed), unpacked.folder)):
            looked = "they have a `tuid`" if source is keyed else "a column looks like their id"
            doubts = [*doubts, f"rows are numbered; {looked}, but {wrong}"]
            source = _without_ids(source)
        else:
            source = keyed
    profile = profile_corpus(FetchedCorpus(_corpus(name, source), unpacked.folder), languages)
    return DraftedCorpus(name, source, profile, [*doubts, *profile.doubts()])


def _with_ids(source: Files, columns: Collection[str]) -> Files | None:
    """Return the source with the column that is named for its ids, or None."""
    form = source.format
    if isinstance(form, TranslationMemory):
        return source
    if not isinstance(form, Table | JsonLines) or (isinstance(form, Table) and not form.header):
        return None
    key = find_id_column([column for column in columns if column not in form.columns.values()])
    return replace(source, format=replace(form, id=key)) if key else None


def _without_ids(source: Files) -> Files:
    form = source.format
    if isinstance(form, TranslationMemory):
        return replace(source, format=replace(form, id=None))
    return source


def _unsound_ids(fetched: FetchedCorpus) -> str | None:
    """Return why an id column cannot be used: a row without an id, or two with one."""
    seen: set[str] = set()
    try:
        for row in read_corpus(*fetched):
            if row.key in seen:
                return f"{row.key!r} stands there twice"
            seen.add(row.key)
    except SourceError as error:
        return str(error)
    return None


def _corpus(name: str, source: Files) -> Corpus:
    return Corpus(name=name, source=source, licence="unknown")


def _described(looks: Sniffed) -> str:
    return "plain text" if looks.kind == "text" else f"a table ({looks.kind})"
