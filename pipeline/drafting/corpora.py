"""Describe corpora made of a user's own files: unpack, sniff, name what holds what, profile."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SourceError, SpecError
from pipeline.drafting.checking import CorpusProfile, profile_corpus
from pipeline.specs.formats import Format, format_for
from tasks.sources.description import (
    BibleVerses,
    Columns,
    Corpus,
    Files,
    JsonLines,
    PlainText,
    RemoteFile,
    SplitName,
    Table,
    TranslationMemory,
)
from tasks.sources.fetching import fetch, local_name
from tasks.sources.naming import (
    find_column,
    find_id_column,
    find_language,
    find_sides,
    find_text_column,
)
from tasks.sources.reading import FetchedCorpus, read_corpus
from tasks.sources.sniffing import Sniffed, only_member, place_of, sniff
from tasks.sources.tags import covers, find_tag

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


class Guess(NamedTuple):
    """How to read a file, and what about it is in doubt."""

    given: GivenFile
    form: Format
    doubts: Sequence[str]


class Unpacked(NamedTuple):
    """Files below one folder `base`, unpacked into another."""

    files: Sequence[GivenFile]
    base: Path
    folder: Path


def unpack(
    arguments: Sequence[str], folder: Path, *, splits: Sequence[SplitName | None] = ()
) -> Unpacked:
    """Unpack and sniff files; one inside an archive is written `FILE.zip:MEMBER`.

    `splits` are the parts that the files ship. Raises SpecError for a file that does not exist,
    SourceError for one that cannot be read.
    """
    places = [_place(argument) for argument in arguments]
    base = Path(os.path.commonpath([path.parent for path, _ in places]))
    given = []
    for (path, member), split in zip(places, splits or [None] * len(places), strict=True):
        file = RemoteFile(name=path.relative_to(base).as_posix(), member=member, split=split)
        source = Files(kind="files", base=str(base), files=(file,), format=PlainText())
        (facts,) = fetch(source, folder, mirror=None)
        looks = sniff(folder / local_name(file), member or path.name)
        given.append(GivenFile(member or path.name, replace(file, sha256=facts["sha256"]), looks))
    return Unpacked(_of_one_dialect(given), base, folder)


def _of_one_dialect(files: Sequence[GivenFile]) -> list[GivenFile]:
    """Have tables without a quote read like those beside them that have some."""
    quoted = {
        (looks.dialect.kind, looks.dialect.delimiter): looks.dialect.quoted
        for looks in (given.looks for given in files)
        if looks.dialect and looks.dialect.opens
    }

    def settled(looks: Sniffed) -> Sniffed:
        if looks.dialect is None or looks.dialect.opens:
            return looks
        found = quoted.get((looks.dialect.kind, looks.dialect.delimiter), looks.dialect.quoted)
        return looks._replace(dialect=looks.dialect._replace(quoted=found))

    return [given._replace(looks=settled(given.looks)) for given in files]


def _place(argument: str) -> tuple[Path, str | None]:
    """Return the path of a file and, where it is packed in an archive, its name there."""
    path, member = place_of(argument)
    if not path.is_file():
        raise SpecError(f"{path}: no such file")
    # a link goes by its own name: what it leads to in a cache bears a digest for a name
    return Path(os.path.normpath(path.absolute())), member or only_member(path)


def draft_parallel(
    name: str, unpacked: Unpacked, languages: tuple[str, str], *, columns: Columns
) -> list[DraftedCorpus]:
    """Describe bitext: aligned text files, Bibles, and tables with a column for each language.

    One corpus holds all files of a format. `columns` says which column holds which language where
    their names do not. Raises SpecError for other files, and for columns that cannot be told.
    """
    texts = [given for given in unpacked.files if given.looks.kind == "text"]
    memories = [given for given in unpacked.files if given.looks.kind == "tmx"]
    books = [given for given in unpacked.files if given.looks.kind == "verses"]
    tables = [g for g in unpacked.files if g.looks.kind not in ("text", "tmx", "verses")]
    if texts and (columns or not _are_sides(texts)):
        seen = ", ".join(f"{given.name} is {_described(given.looks)}" for given in unpacked.files)
        raise SpecError(
            f"{seen}; expected two plain-text files aligned by line, the hub's first, tables (CSV, "
            "TSV, JSON lines, TMX) with a column for each language, or the books of Bibles"
        )
    guesses: list[Guess] = []
    for split in dict.fromkeys(given.file.split for given in texts):
        sides, doubts = _aligned([g for g in texts if g.file.split == split], languages)
        guesses += [Guess(side, PlainText(), doubts) for side in sides]
    for given in tables:
        found = _language_columns(given, languages, columns)
        guesses.append(Guess(given, *table_format(given, found)))
    if memories:
        together = _together(memories)
        form, doubts = table_format(together, _language_columns(together, languages, columns))
        guesses += [Guess(given, form, doubts) for given in memories]
    if books:
        sides, doubts = _bibles(books, languages)
        guesses += [Guess(side, BibleVerses(kind="verses"), doubts) for side in sides]
    return _by_format(name, unpacked, guesses, languages)


def _are_sides(texts: Sequence[GivenFile]) -> bool:
    times = Counter(given.file.split for given in texts)
    return all(number % 2 == 0 for number in times.values())


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
    guesses = [
        Guess(given, *_monolingual_format(given, language, column)) for given in unpacked.files
    ]
    spoken = [
        guess._replace(given=_spoken(guess.given, language))
        if isinstance(guess.form, PlainText | BibleVerses)
        else guess
        for guess in guesses
    ]
    return _by_format(name, unpacked, spoken, [language])


def _by_format(
    name: str, unpacked: Unpacked, guesses: Sequence[Guess], languages: Sequence[str]
) -> list[DraftedCorpus]:
    """Return one corpus for all files of a format, the first of them under the name itself."""
    drafted: list[DraftedCorpus] = []
    formats = [guess.form for guess in guesses]
    for form in [form for n, form in enumerate(formats) if form not in formats[:n]]:
        alike = [guess for guess in guesses if guess.form == form]
        doubts = dict.fromkeys(doubt for guess in alike for doubt in guess.doubts)
        number = f"-{len(drafted) + 1}" if drafted else ""
        part = unpacked._replace(files=[guess.given for guess in alike])
        drafted.append(_drafted(f"{name}{number}", part, form, languages, [*doubts]))
    return drafted


def files_in_words(drafted: DraftedCorpus) -> Iterator[str]:
    """Yield what each file of a corpus is taken for."""
    form = drafted.source.format
    for file in drafted.source.files:
        if isinstance(form, Table | JsonLines | TranslationMemory):
            columns = ", ".join(f"{language} in {c!r}" for language, c in form.columns.items())
            told = form.id and not isinstance(form, TranslationMemory)
            ids = f", ids in {form.id!r}" if told else ""
            yield f"{file}: {_kind_in_words(form)}, {columns}{ids}"
        else:
            what = "plain text" if isinstance(form, PlainText) else "a Bible by verse"
            yield f"{file}: {what}, {file.language}"


def _kind_in_words(form: Table | JsonLines | TranslationMemory) -> str:
    if not isinstance(form, Table):
        return form.kind
    separated = f" separated by {form.delimiter!r}" if form.delimiter else ""
    quotes = {None: "", True: ", quoted", False: ", quotes are text"}[form.quoted]
    return f"{form.kind}{separated}{quotes}"


def _aligned(
    files: Sequence[GivenFile], languages: tuple[str, str]
) -> tuple[list[GivenFile], list[str]]:
    """Return files with their languages: by their names, else by their order, the hub's first.

    Raises SpecError for more than two whose names do not say it.
    """
    hub, language = languages
    named = find_sides([given.name for given in files], languages)
    if len(files) == 2 and named[0] != named[1]:
        known = [named[0] or (hub if named[1] == language else language)]
        known.append(named[1] or (hub if known[0] == language else language))
    elif len(files) == 2:
        known = [hub, language]
    elif named.count(hub) == named.count(language) == len(files) // 2:
        known = [x or hub for x in named]
    else:
        seen = ", ".join(f"{given.name}: {x}" for given, x in zip(files, named, strict=True))
        raise SpecError(
            f"the names of these files do not say which are in {hub} and which in {language} "
            f"({seen}); name them for their languages (train.{hub}, train.{language})"
        )
    sides = [_spoken(*side) for side in zip(files, known, strict=True)]
    unsure = [f"which file is in which language: by their order, {hub} first"]
    return (
        sorted(sides, key=lambda given: given.file.language == language),
        unsure if len(files) == 2 and named[0] == named[1] else [],
    )


def _bibles(
    books: Sequence[GivenFile], languages: tuple[str, str]
) -> tuple[list[GivenFile], list[str]]:
    """Return the books of Bibles with their languages: by their folders, else as `_aligned`.

    Raises SpecError for books that come split, or whose names do not say their languages.
    """
    if any(given.file.split for given in books):
        raise SpecError(
            f"{books[0].name}: Bibles are joined by verse, through all files: give them with "
            "--parallel, and dev and test are drawn from them"
        )
    if len(books) == 2:
        return _aligned(books, languages)
    sides = []
    for given in books:
        path = Path(given.file.member or given.file.name)
        language = find_language(path.parent.as_posix(), languages) or find_language(
            path.name, languages
        )
        sides.append(_spoken(given, language))
    hub, language = languages
    if {given.file.language for given in sides} != {hub, language}:
        seen = ", ".join(f"{given.file}: {given.file.language}" for given in sides)
        raise SpecError(
            f"the names of these books do not say which are in {hub} and which in {language} "
            f"({seen}); put them into folders that are named {hub} and {language}"
        )
    return sorted(sides, key=lambda given: given.file.language == language), []


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
        raise which_column(given, " and ".join(languages), f"--columns {wanted}")
    return known


def _monolingual_format(
    given: GivenFile, language: str, column: str | None
) -> tuple[Format, list[str]]:
    looks = given.looks
    if looks.kind in ("text", "verses"):
        return format_for(looks, given.name, {}), []
    find = find_tag if looks.kind == "tmx" else find_column
    named = column or find(language, looks.columns)
    guessed = named or find_text_column(looks.columns)
    if guessed is None:
        raise which_column(given, language, "--mono-column COLUMN")
    form, doubts = table_format(given, {language: guessed})
    if not named:
        doubts.append(f"{given.name}: that the column {guessed!r} holds the text")
    return form, doubts


def which_column(given: GivenFile, languages: str, option: str) -> SpecError:
    """Return an error that shows the columns of a table and how to say what is asked."""
    shown = "".join(
        f"\n  {column}: {value[:LONGEST_EXAMPLE]!r}"
        for column, value in given.looks.columns.items()
    )
    by_number = " (by name, or by number, 1 and on)" if given.looks.dialect else ""
    return SpecError(
        f"{given.name}: its columns do not say which holds {languages}:{shown}\n"
        f"say it with {option}{by_number}"
    )


def table_format(given: GivenFile, columns: Columns) -> tuple[Format, list[str]]:
    """Return the format that reads these columns, and what about it is in doubt."""
    looks = given.looks
    if looks.kind == "tmx":
        return TranslationMemory(kind="tmx", columns={**columns}), [*_covered(given, columns)]
    form = format_for(looks, given.name, columns)
    doubts = []
    if looks.dialect and looks.dialect.doubt:
        doubts.append(f"{given.name}: {looks.dialect.doubt}")
    if isinstance(form, Table) and looks.header and not form.header:
        row = ", ".join(repr(cell[:LONGEST_EXAMPLE]) for cell in looks.first_row)
        doubts.append(f"{given.name}: that its first row is text and no header: {row}")
    return form, doubts


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
        if wrong := unsound_ids(FetchedCorpus(_corpus(name, keyed), unpacked.folder)):
            looked = "they have a `tuid`" if source is keyed else "a column looks like their id"
            doubts = [*doubts, f"rows are numbered; {looked}, but {wrong}"]
            source = _without_ids(source)
        else:
            source = keyed
    fetched = FetchedCorpus(_corpus(name, source), unpacked.folder)
    shipped = any(file.split for file in files)
    profile = profile_corpus(fetched, languages, shipped=shipped)
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


def unsound_ids(fetched: FetchedCorpus) -> str | None:
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
    kinds = {"text": "plain text", "verses": "a Bible"}
    return kinds.get(looks.kind, f"a table ({looks.kind})")
