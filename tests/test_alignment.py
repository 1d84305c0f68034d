"""The contract on ids: what a step is given it returns or counts, and a lost line has a culprit."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.engines.gloss import GlossEngine
from models.engines.protocol import Decoding, Engine, Line, Noise
from models.support.errors import ContractError, LeakError, StageError
from models.writing import comparison_key
from pipeline.dag import find_stages
from pipeline.running import building
from pipeline.stages import translations as translating
from pipeline.stages.stage import Stage
from tasks.bitext import clean_rows, prepare_bitext
from tasks.cleaning import CleaningRules, Counts
from tasks.filtering import FilterLimits, accept, text_scorers, write_scores
from tasks.labelled import prepare_labelled
from tasks.leakage import HeldOut, HeldOutIndex, LeakRules, TextSet, remove_leaks
from tasks.monolingual import merge_task_texts
from tasks.mt import translation
from tasks.mt.synthetic import Sides, SyntheticRules, write_synthetic_bitext
from tasks.mt.translation import Order, shard, stream_translation, write_texts
from tasks.records import Record, read_columns, read_records, write_records
from tasks.sources.description import Corpus, Files, HashSplit, JsonLines, RemoteFile
from tasks.sources.fetching import local_name
from tasks.sources.reading import FetchedCorpus
from tasks.sources.rows import Row
from tasks.transfer.fitting import LabelledText
from tests.conftest import write_experiment

RULES = CleaningRules(max_words=6)
HELD_OUT = "esuk iki udan deres"
WORDS = ["kula", "neda", "sekul", "@budi", "#", "...", "Kula", "\x00", "ꦲꦏ꧀ꦱꦫ", "", "udan"]
TEXTS = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join),
    st.just(HELD_OUT),
    st.text(max_size=12),
)
KEYS = st.lists(st.text("abc:#1", min_size=1, max_size=4), unique=True, max_size=12)


@pytest.fixture(autouse=True, scope="module")
def _small_shards() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translation, "SHARD_RECORDS", 3)
        yield


class Echo:
    """Translate by writing the target language before each text; now and then say nothing."""

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        return [(key, f"{target} {text}" if len(text) % 5 else "") for key, text in lines]


Step = Callable[[list[Record], Path], tuple[list[Record], int]]
"""Records of id and text, and an empty folder, to what comes out and how many were dropped."""


def clean(records: list[Record], folder: Path) -> tuple[list[Record], int]:
    counts = Counts()
    rows = []
    for record in records:
        corpus, _, key = record["id"].partition(":")
        rows.append((corpus, Row(key, None, {"jav": record["text"]})))
    cleaned = list(clean_rows(rows, ["jav"], rules=RULES, counts=counts))
    assert (counts.read, counts.kept) == (len(records), len(cleaned))
    return [{"id": r["id"], "text": r["jav"]} for r in cleaned], counts.dropped.total()


def guard(records: list[Record], folder: Path) -> tuple[list[Record], int]:
    index = HeldOutIndex([HeldOut("MT test", "jav", "lain:1", HELD_OUT)], LeakRules())
    path = stored(records, folder / "in.parquet", origin="human")
    kept = folder / "kept.parquet"
    try:
        counts: Any = remove_leaks(TextSet("MT train", path, {"jav": "text"}), index, out=kept)
    except LeakError:  # nothing is left
        assert not [r for r in records if comparison_key(HELD_OUT) not in comparison_key(r["text"])]
        return [], len(records)
    assert counts["seen"] == len(records)
    return only_texts(kept), sum(counts["removed"].values())


def without_noise(records: list[Record], folder: Path) -> tuple[list[Record], int]:
    path = stored(records, folder / "in.parquet")
    scorers = text_scorers(["text"], {"text": "Latn"})
    write_scores(path, ["text"], scorers, folder / "scores.parquet")
    kept = folder / "kept.parquet"
    limits = FilterLimits(max_loss=1.0)
    counts: Any = accept(path, folder / "scores.parquet", limits, kept)
    assert counts["seen"] == len(records)
    return only_texts(kept), sum(counts["dropped"].values())


BEAM = Decoding(beam=4)
NOISED = Decoding(beam=4, noise=Noise(delete=0.3, blank=0.3))


def translate(records: list[Record], folder: Path) -> tuple[list[Record], int]:
    return into_indonesian(records, folder, BEAM), 0


def translate_with_noise(records: list[Record], folder: Path) -> tuple[list[Record], int]:
    return into_indonesian(records, folder, NOISED), 0


def into_indonesian(
    records: Sequence[Record], folder: Path, decoding: Decoding = BEAM
) -> list[Record]:
    return list(stream_translation(records, Echo(), Order("jav", "ind", decoding), shards=folder))


def back(records: list[Record], folder: Path) -> tuple[list[Record], int]:
    return made_bitext(records, folder, real_target=True)


def forward(records: list[Record], folder: Path) -> tuple[list[Record], int]:
    return made_bitext(records, folder, real_target=False)


def made_bitext(
    records: list[Record], folder: Path, *, real_target: bool
) -> tuple[list[Record], int]:
    """Translate in three shards, as three workers would; pair the real text with the made."""
    out = folder / "synthetic.parquet"
    made = []
    for number in range(3):
        made += into_indonesian(shard(records, number, 3), folder / f"shard-{number}")
    languages = ("ind", "jav") if real_target else ("jav", "ind")
    counts: Any = write_synthetic_bitext(
        records,
        made,
        sides=Sides(*languages, real_target),
        rules=SyntheticRules(max_length_ratio=2.0, max_lost=1.0, most=8),
        out=out,
    )
    assert (counts["read"], counts["kept"]) == (len(records), len(list(read_records(out))))
    return only_texts(out, "jav"), sum(counts["dropped"].values())


def project(records: list[Record], folder: Path) -> tuple[list[Record], int]:
    """Translate labelled text; the labels stay in the set it was made from."""
    labels = [f"label of {record['id']}" for record in records]
    stored(records, folder / "train.parquet", label=labels)
    translated = folder / "translated"
    made = into_indonesian(records, translated)
    write_texts(translated / "train.parquet", made)
    ids, examples = LabelledText.load(folder, translated, "train")
    assert examples.labels == [f"label of {key}" for key in ids]
    texts = zip(ids, examples.inputs, strict=True)
    return [{"id": key, "text": text} for key, text in texts], 0


def merge(records: list[Record], folder: Path) -> tuple[list[Record], int]:
    half = len(records) // 2
    parts = [
        stored(part, folder / f"{n}.parquet", label="x")
        for n, part in enumerate((records[:half], records[half:]))
    ]
    out = folder / "merged.parquet"
    counts: Any = merge_task_texts(parts, "jav", out=out)
    return only_texts(out, "jav"), sum(counts["dropped"].values())


STEPS: tuple[Step, ...] = (
    *(clean, without_noise, guard, merge),
    *(translate, translate_with_noise, back, forward, project),
)


def stored(records: Sequence[Record], path: Path, **more: str | list[str]) -> Path:
    """Write records with more columns, each one value or one for each record."""
    columns = {name: [r[name] for r in records] for name in ("id", "text")}
    columns |= {n: v if isinstance(v, list) else [v] * len(records) for n, v in more.items()}
    write_records(path, columns)
    return path


def only_texts(path: Path, column: str = "text") -> list[Record]:
    return [{"id": r["id"], "text": r[column]} for r in read_records(path)]


@settings(deadline=None, max_examples=60)
@given(KEYS, st.data(), st.lists(st.sampled_from(STEPS), min_size=1, max_size=5))
def test_any_steps_in_any_order_return_the_ids_they_were_given(
    keys: list[str], data: st.DataObject, steps: list[Step]
) -> None:
    records = [{"id": f"korpus:{key}", "text": data.draw(TEXTS)} for key in keys]
    with tempfile.TemporaryDirectory() as folder:
        for number, step in enumerate(steps):
            own = Path(folder, str(number))
            own.mkdir()
            before = [record["id"] for record in records]
            records, dropped = step(records, own)
            after = [record["id"] for record in records]
            assert [i for i in before if i in set(after)] == after, step.__name__
            assert len(after) + dropped == len(before), step.__name__


def corpus(
    rows: Sequence[Mapping[str, str]], folder: Path, columns: Sequence[str]
) -> FetchedCorpus:
    """Write rows, each with an id and perhaps a split, as a fetched corpus."""
    folder.mkdir(parents=True)
    files = []
    for split in ("train", "dev", "test", None):
        file = RemoteFile(name=f"{split}.jsonl", split=split)  # type: ignore[arg-type]
        lines = [json.dumps(dict(row)) for row in rows if row.get("split") == split]
        (folder / local_name(file)).write_text("".join(f"{line}\n" for line in lines))
        files.append(file)
    form = JsonLines(kind="jsonl", id="id", columns={column: column for column in columns})
    source = Files(kind="files", base="raw", files=tuple(files), format=form)
    return FetchedCorpus(Corpus(name="korpus", source=source, licence="CC0"), folder)


@settings(deadline=None, max_examples=40)
@given(KEYS, st.data())
def test_the_parts_of_a_bitext_hold_what_was_kept_and_nothing_twice(
    keys: list[str], data: st.DataObject
) -> None:
    sure = [{"id": f"sure-{n}", "ind": f"kalimat {n}", "mad": f"okara {n}"} for n in range(4)]
    drawn = [{"id": k, "ind": data.draw(TEXTS), "mad": data.draw(TEXTS)} for k in keys]
    rows = [*sure, *drawn]
    with tempfile.TemporaryDirectory() as folder:
        counts: Any = prepare_bitext(
            [corpus(rows, Path(folder, "raw"), ["ind", "mad"])],
            ("ind", "mad"),
            rules=RULES,
            split=HashSplit(rule="hash", dev=1, test=2),
            out=Path(folder),
        )
        parts = [read_columns(Path(folder, f"{p}.parquet"))["id"] for p in ("train", "dev", "test")]
    found = list(chain(*parts))
    assert len(found) == len(set(found)) == counts["kept"]
    assert set(found) <= {f"korpus:{row['id']}" for row in rows}
    assert counts["read"] == len(rows) == counts["kept"] + sum(counts["dropped"].values())
    assert [len(part) for part in parts] == [counts[p] for p in ("train", "dev", "test")]


SPLITS = ("train", "test")
ITEMS = [f"{split}-{label}{n}" for split in SPLITS for label in "xy" for n in range(3)]


@settings(deadline=None, max_examples=40)
@given(
    st.permutations(ITEMS),
    st.sets(st.sampled_from([item for item in ITEMS if not item.endswith("0")])),
    st.sets(st.text("z", min_size=1, max_size=3)),
)
def test_labels_follow_their_ids_into_every_language(
    order: list[str], without_text: set[str], strangers: set[str]
) -> None:
    """Files in another order, with items missing and items too many, change no label."""
    label_of = {item: (item.partition("-")[2][0], item.partition("-")[0]) for item in ITEMS}
    rows = [{"id": i, "text": f"ukara {i}"} for i in order if i not in without_text]
    rows += [{"id": key, "text": "tanpa label"} for key in sorted(strangers)]
    with tempfile.TemporaryDirectory() as folder:
        counts: Any = prepare_labelled(
            corpus(rows, Path(folder, "raw"), ["text"]),
            label_of,
            rules=RULES,
            limits={},
            out=Path(folder),
        )
        for split in SPLITS:
            columns = read_columns(Path(folder, f"{split}.parquet"))
            wanted = sorted(i for i in ITEMS if i.startswith(split) and i not in without_text)
            assert columns["id"] == [f"korpus:{item}" for item in wanted]
            assert columns["label"] == [label_of[item][0] for item in wanted]
            assert columns["text"] == [f"ukara {item}" for item in wanted]
    expected = {"no_text": len(without_text), "no_label": len(strangers)}
    assert counts["dropped"] == {reason: n for reason, n in expected.items() if n}


class Loss(NamedTuple):
    """What a lossy engine does to the lines of one call, and how the contract calls it."""

    spoil: Callable[[list[Line]], list[Line]]
    words: str


LOSSES = {
    "drops a line": Loss(lambda lines: [*lines[:1], *lines[2:]], "1 of {n} ids lost, first '{b}'"),
    "repeats a line": Loss(lambda lines: [lines[0], *lines], "1 ids repeated, first '{a}'"),
    "repeats one for another": Loss(
        lambda lines: [lines[0], lines[0], *lines[2:]], "1 of {n} ids lost, first '{b}'"
    ),
    "reorders": Loss(lambda lines: [lines[1], lines[0], *lines[2:]], "another order, .* '{a}'"),
    "returns an extra": Loss(lambda lines: [*lines, ("asing:1", "x")], "unknown ids.*'asing:1'"),
}
TRANSLATIONS = {
    "real text": "gloss-1-real-sis-hub-*",
    "test set": "gloss-1-bitext-hub-sis-hub-sis-*",
    "task text": "gloss-1-task-stance-hub-sis-*",
}
"""What the gloss translates in a tiny experiment, by the label of its stage."""


class Lossy:
    """Translate as the engine does, but spoil the lines of every call from the second on."""

    def __init__(self, engine: Engine, loss: Loss) -> None:
        self.engine, self.loss = engine, loss
        self.calls = count(1)
        self.given: list[str] = []

    def translate(
        self, lines: Sequence[Line], *, source: str, target: str, decoding: Decoding
    ) -> list[Line]:
        translated = self.engine.translate(lines, source=source, target=target, decoding=decoding)
        self.given = [key for key, _ in lines]
        return self.loss.spoil(translated) if next(self.calls) > 1 else translated


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build all that the translations of a tiny experiment need; no model is trained."""
    folder = tmp_path_factory.mktemp("alignment")
    systems = {
        "gloss": {"kind": "gloss"},
        "words": {"kind": "trained", "synthetic": [{"by": "gloss"}]},
    }
    experiment = str(
        write_experiment(
            folder,
            systems=systems,
            contrasts=[],
            monolingual={"max_sentences": 50},
            transfer={"encoders": {"char-ngram": {"kind": "ngrams"}}},
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPRACHBUND_STORE", str(folder / "store"))
        stages = [translation_of(experiment, label) for label in TRANSLATIONS.values()]
        building.run([needed for stage in stages for needed in chain(*stage.inputs.values())])
        yield experiment


def translation_of(experiment: str, label: str) -> Stage[Any]:
    (stage,) = find_stages(experiment, f"Translation:{label}")
    return stage


def spoilt(loss: Loss, monkeypatch: pytest.MonkeyPatch) -> list[Lossy]:
    """Have translations load an engine that loses lines; it is in the list once one has."""
    loaded: list[Lossy] = []
    honest = translating.load_engine

    def load(*arguments: Any) -> Lossy:
        loaded.append(Lossy(honest(*arguments), loss))
        return loaded[0]

    monkeypatch.setattr(translation, "SHARD_RECORDS", 20)  # several calls a stage
    monkeypatch.setattr(translating, "load_engine", load)
    return loaded


@pytest.mark.system
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
@pytest.mark.parametrize("label", TRANSLATIONS.values(), ids=TRANSLATIONS.keys())
def test_a_lossy_engine_is_caught_by_the_stage_that_loses_the_line(
    upstream: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    label: str,
    loss: Loss,
) -> None:
    stage = translation_of(upstream, label)
    stage.place.discard()
    loaded = spoilt(loss, monkeypatch)
    with pytest.raises(ContractError) as caught:
        stage.run()
    assert isinstance(loaded[0].engine, GlossEngine)
    a, b, *rest = loaded[0].given
    caught.match(loss.words.format(n=2 + len(rest), a=a, b=b))
    failed = f"FAILED Translation {stage.label()} "
    assert [line for line in capsys.readouterr().err.splitlines() if failed in line]
    assert not stage.place.artifact.exists()


@pytest.mark.system
def test_the_run_fails_and_an_honest_engine_goes_on_from_the_last_good_shard(
    upstream: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (stage,) = find_stages(upstream, "Synthetic:gloss-1-hub-sis-*")
    lost = translation_of(upstream, TRANSLATIONS["real text"])
    lost.place.discard()
    monkeypatch.setattr(translation, "SHARD_RECORDS", 20)
    with monkeypatch.context() as patch:
        spoilt(LOSSES["drops a line"], patch)
        with pytest.raises(StageError, match="did not finish"):
            building.run([stage])
    shown = capfd.readouterr().err
    assert f"FAILED {lost.title}" in shown
    assert "ids lost" in shown
    assert "Traceback" not in shown
    building.run([stage])
    counts = stage.artifact.manifest["counts"]
    (text,) = stage.inputs["text"]
    given_ids = read_columns(text.artifact.path("text.parquet"))["id"]
    made = read_columns(stage.artifact.path("synthetic.parquet"))["id"]
    assert [i for i in given_ids if i in set(made)] == made
    assert len(given_ids) == counts["read"] == len(made) + sum(counts["dropped"].values())
