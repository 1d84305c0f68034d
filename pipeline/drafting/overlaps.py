"""Find held-out text of a task in the corpora of language pairs, before anything is run."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from models.support.errors import SprachbundError
from models.writing import writes_no_ends
from pipeline.settings import Settings
from pipeline.specs.loading import find_manifest, load_manifest
from pipeline.specs.manifests import PairManifest
from tasks.cleaning import CleaningRules, normalise
from tasks.labelled_survey import LabelledSurvey, held_out_texts
from tasks.leakage import HeldOut, HeldOutIndex, LeakRules
from tasks.monolingual import cut_paragraphs
from tasks.sources.description import Corpus, Files, HubDataset, Source
from tasks.sources.fetching import address, fetch, is_remote, mirror_path
from tasks.sources.reading import FetchedCorpus, read_corpora

SECONDS_UNTIL_PROGRESS = 3


class Listed(NamedTuple):
    """A corpus of a pair, and the languages it is read in; monolingual text may be paragraphs."""

    pair: str
    corpus: Corpus
    languages: tuple[str, ...]
    monolingual: bool


def pairs_near(folder: Path) -> list[Path]:
    """Return the pair manifests in the folder `pairs` beside that of a task."""
    return sorted((folder.resolve().parent / "pairs").glob("*.yaml"))


def overlaps(
    pairs: Sequence[str | Path], surveys: Sequence[LabelledSurvey], *, here: bool = False
) -> Iterator[str]:
    """Yield how many dev and test texts of a task stand in each corpus of some pairs.

    With `here`, only what lies on this machine is searched. A corpus that is not is named;
    SpecError for a pair that does not exist or is not valid.
    """
    index = HeldOutIndex(_without_ids(surveys), LeakRules())
    spoken = {found.language for found in surveys}
    seen: list[Listed] = []
    for pair in pairs:
        for listed in _corpora(pair, spoken):
            if listed._replace(pair="") in seen:
                continue
            seen.append(listed._replace(pair=""))
            if here and not lies_here(listed.corpus.source):
                yield (
                    f"{listed.pair}: {listed.corpus.name} is not on this machine and was not "
                    f"searched for the task's text; to fetch it: --pair {listed.pair}"
                )
            else:
                yield from _in_corpus(listed, index)


def lies_here(source: Source) -> bool:
    """Say whether a source can be read without a network: made, local, or in the mirror."""
    if isinstance(source, HubDataset):
        return Path(source.name).is_dir()
    if not isinstance(source, Files) or not is_remote(source.base):
        return True
    mirror = Settings.from_environment().mirror
    urls = [address(source, file) for file in source.files]
    return mirror is not None and all(mirror_path(mirror, url).is_file() for url in urls)


def _without_ids(surveys: Sequence[LabelledSurvey]) -> Iterator[HeldOut]:
    """Yield held-out texts, told apart by language; what their ids will be is not known yet."""
    for held_out in held_out_texts(surveys):
        yield held_out._replace(id=f"{held_out.language}\n{held_out.id}")


def _corpora(pair: str | Path, spoken: set[str]) -> Iterator[Listed]:
    manifest = load_manifest(find_manifest("pairs", str(pair)), PairManifest)
    both = tuple(language for language in manifest.languages if language in spoken)
    for corpus in manifest.parallel if both else ():
        yield Listed(manifest.name, corpus, both, monolingual=False)
    for language, corpora in manifest.monolingual.items():
        if language in spoken:
            for corpus in corpora:
                yield Listed(manifest.name, corpus, (language,), monolingual=True)


def _in_corpus(listed: Listed, index: HeldOutIndex) -> Iterator[str]:
    name = f"{listed.pair}: {listed.corpus.name}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            fetched = FetchedCorpus(listed.corpus, Path(folder))
            fetch(listed.corpus.source, fetched.folder, mirror=Settings.from_environment().mirror)
            found = _found(fetched, listed, index)
    except (SprachbundError, OSError) as error:
        yield f"{name} could not be searched for the task's text: {error}"
        return
    for (part, language), keys in sorted(found.items()):
        yield (
            f"{len(keys):,} {part} texts of {language} stand in {name}; what holds one is kept out "
            "of the training of translation"
        )


def _found(
    fetched: FetchedCorpus, listed: Listed, index: HeldOutIndex
) -> dict[tuple[str, str], set[str]]:
    """Return the held-out texts that a corpus repeats, by part and language."""
    from tqdm import tqdm

    rules = CleaningRules()
    rows = read_corpora([fetched])
    if listed.monolingual:
        endless = rules if writes_no_ends(listed.languages[0]) else None
        rows = cut_paragraphs(rows, listed.languages[0], clauses=endless)
    found: dict[tuple[str, str], set[str]] = {}
    seen = tqdm(
        rows, desc=listed.corpus.name, unit=" rows", delay=SECONDS_UNTIL_PROGRESS, leave=False
    )
    for _, row in seen:
        for language in listed.languages:
            record = {"id": "", "text": normalise(row.fields[language], rules)}
            for match in index.find(record, ["text"]):
                item = match.held_out
                if item.language == language:
                    found.setdefault((item.set, language), set()).add(item.id)
    return found
