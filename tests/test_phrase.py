"""Phrase-based translation: tokens that keep case and spacing, phrases, weights, what is said."""

import hashlib
import json
import random
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from models.engines.gloss import GlossEngine, learn_lexicons
from models.engines.phrase import PhraseEngine
from models.engines.protocol import Decoding, Engine, Line
from models.phrases.alignment import symmetrise, train_aligner
from models.phrases.extraction import Links, Tokens, count_phrases, write_table
from models.phrases.library import require_thot
from models.phrases.recipe import PhraseRecipe
from models.phrases.tokens import JOIN, SPACE, to_text, to_tokens
from models.phrases.training import PhraseOutcome, PhraseText, train
from models.support.errors import SpecError, SprachbundError
from pipeline.dag import all_stages, find_stages
from pipeline.running import building
from pipeline.specs.loading import load_experiment
from pipeline.specs.systems import PhraseSystem
from pipeline.stages.systems.phrase import PhraseTable
from pipeline.store import Artifact
from tasks.records import read_columns
from tests.conftest import write_experiment

needs_thot = pytest.mark.skipif(find_spec("thot") is None, reason="needs the package sil-thot")

NOUNS = {"kucing": "meong", "anjing": "asu", "rumah": "omah", "pasar": "pekan", "sawah": "carik"}
ADJECTIVES = {"besar": "gede", "putih": "petak", "baru": "anyar"}
VERBS = {"melihat": "ndeleng", "membeli": "tuku", "terima kasih": "matur nuwun sanget"}
RECIPE = PhraseRecipe(tuning_pairs=10, tuning_rounds=8)


def invented(number: int, seed: int) -> list[tuple[str, str]]:
    """Return sentences and their translation: adjectives move, a phrase of two words has three."""
    draw = random.Random(seed)  # noqa: S311

    def pair() -> tuple[str, str]:
        a, b = draw.choices(list(ADJECTIVES), k=2)
        m, n = draw.choices(list(NOUNS), k=2)
        v = draw.choice(list(VERBS))
        target = f"{ADJECTIVES[a]} {NOUNS[m]} {VERBS[v]} {ADJECTIVES[b]} {NOUNS[n]}."
        return f"{m.capitalize()} {a} {v} {n} {b}.", target.capitalize()

    return [pair() for _ in range(number)]


def learn(folder: Path, recipe: PhraseRecipe = RECIPE) -> PhraseOutcome:
    folder.mkdir()
    text = PhraseText(invented(200, 1), invented(15, 2), ["Gede omah anyar."])
    return train(text, recipe, folder, folder.with_name(f"{folder.name}-scratch"), lambda *_: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("phrase") / "model"
    learn(found)
    return found


@pytest.fixture(scope="module")
def engine(folder: Path) -> PhraseEngine:
    return PhraseEngine({("ind", "jav"): folder})


def translated(engine: Engine, *texts: str) -> list[str]:
    lines: list[Line] = [(f"k:{n}", text) for n, text in enumerate(texts)]
    made = engine.translate(lines, source="ind", target="jav", decoding=Decoding())
    assert [key for key, _ in made] == [key for key, _ in lines]
    return [text for _, text in made]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Saya makan, (nasi) 'goreng' Makan-makan! eBay JAKARTA I",
        "a,b ... http://x.y/z?q=1 :) 😀😀 @FN_1 #x 3.5% 10:30",
        "यह किताब। वह 'नयी' है?",
        "今日は、世界！ hello世界",
        "ฉันกินข้าว nasi สวัสดี ครับ",
        "مرحبا، كيف حالك؟",
        "Ба'бай: «Їжак» – «ЇЖАК»…",
        "||| | <s> </s> <unk> NULL ({ })",
    ],
)
def test_tokens_hold_case_and_spacing(text: str) -> None:
    tokens = to_tokens(text)
    assert to_text(tokens) == text
    assert not any(" " in token or not token for token in tokens)


def test_a_word_is_one_token_whatever_its_case_and_neighbours() -> None:
    for text in ("nasi", "Nasi", "NASI", "(nasi)", "nasi,", "'Nasi'!"):
        assert "nasi" in to_tokens(text)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([JOIN], ""),
        ([SPACE, "a"], "a"),
        (["\ue000", "a"], "a"),
        (["a", "\ue000", "\ue001", "b"], "A b"),
        (["a", f"{JOIN},", "\ue000", "b"], "a, b"),
        (["a", f"{JOIN},{JOIN}", f"{JOIN}."], "a,."),
    ],
)
def test_a_mark_in_the_wrong_place_does_no_harm(tokens: list[str], text: str) -> None:
    assert to_text(tokens) == text


def test_marks_in_a_text_are_not_believed() -> None:
    assert to_text(to_tokens(f"nasi\ue001 go{JOIN}reng{SPACE}")) == "nasi goreng"


@pytest.mark.parametrize(
    ("links", "phrases"),
    [
        (["x--", "-x-"], {"x|a", "x y|a b", "y|b", "y|b c", "x y|a b c"}),
        (["-x", "x-"], {"x|b", "y|a", "x y|a b"}),
        (["x-", "--", "-x"], {"x|a", "x y|a", "x y z|a b", "y z|b", "z|b"}),
        (["xx"], {"x|a b"}),
        (["--"], set()),
    ],
)
def test_phrases_are_what_no_link_leaves(links: list[str], phrases: set[str]) -> None:
    matrix = [[mark == "x" for mark in row] for row in links]
    source, target = "abc"[: len(links[0])], "xyz"[: len(links)]
    found = count_phrases([(source, target)], [matrix], 3)
    assert {f"{made}|{of}" for of, made in found} == phrases
    assert {*found.values()} <= {1}


def test_no_phrase_is_longer_than_asked_for() -> None:
    words, matrix = "abcdefgh", [[s == t for s in range(8)] for t in range(8)]
    found = count_phrases([(words, words)], [matrix], 3)
    assert max(len(side.split()) for phrase in found for side in phrase) == 3
    assert len(found) == 8 + 7 + 6


def test_the_table_keeps_the_most_frequent_and_sums_up_the_rest(tmp_path: Path) -> None:
    counts = Counter({("d", "w"): 3, ("d", "w u"): 1, ("d", "v"): 1, ("e", "w"): 1})
    assert write_table(counts, 1, tmp_path / "table") == 2
    assert (tmp_path / "table").read_text().splitlines() == [
        "w ||| d ||| 4 3",
        "<UNUSED_WORD> ||| d ||| 0 2",
        "w ||| e ||| 4 1",
    ]


def extracted_by_thot(
    pairs: list[tuple[Tokens, Tokens]], links: list[Links], longest: int, most: int, folder: Path
) -> dict[tuple[str, str], tuple[float, float]]:
    import thot.translation

    lines = []
    for (source, target), matrix in zip(pairs, links, strict=True):
        free = [s for s in range(len(source)) if not any(row[s] for row in matrix)]
        rows = [free, *([s for s, link in enumerate(row) if link] for row in matrix)]
        words = zip(("NULL", *target), rows, strict=True)
        linked = (f"{word} ({{ {''.join(f'{s + 1} ' for s in row)}}})" for word, row in words)
        lines += ["# 1", " ".join(source), " ".join(linked)]
    (folder / "aligned").write_text("\n".join([*lines, ""]), encoding="utf-8")
    options = thot.translation.PhraseExtractParameters()
    options.max_target_phrase_length = longest
    options.constrain_source_length = True
    model = thot.translation.PhraseModel()
    model.build(str(folder / "aligned"), options, False)
    model.print_phrase_table(str(folder / "by-thot"), most)
    model.clear()
    return read_table(folder / "by-thot")


def read_table(path: Path) -> dict[tuple[str, str], tuple[float, float]]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        target, source, counts = line.split(" ||| ")
        of_target, joint = map(float, counts.split())
        found[source.strip(), target.strip()] = of_target, joint
    return found


@needs_thot
@pytest.mark.parametrize(("longest", "most"), [(7, 20), (3, 20), (7, 1), (2, 2)])
def test_phrases_are_those_that_thot_extracts(longest: int, most: int, tmp_path: Path) -> None:
    pairs: list[tuple[Tokens, Tokens]] = [
        (to_tokens(source), to_tokens(target)) for source, target in invented(150, 1)
    ]
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    aligners = [
        train_aligner(*sides, iterations=5) for sides in ((sources, targets), (targets, sources))
    ]
    links: list[Links] = [*symmetrise(*aligners, pairs)]
    kept = write_table(count_phrases(pairs, links, longest), most, tmp_path / "own")
    table = read_table(tmp_path / "own")
    assert table == extracted_by_thot(pairs, links, longest, most, tmp_path)
    assert kept == sum(target != "<UNUSED_WORD>" for _, target in table) > 20


@needs_thot
@pytest.mark.parametrize("seed", range(8))
def test_thot_extracts_no_phrase_that_is_not_found_here(seed: int, tmp_path: Path) -> None:
    """Thot leaves out some phrases with unlinked words at a sentence's edge, and no others."""
    draw = random.Random(seed)  # noqa: S311
    source, target = (draw.choices(letters, k=draw.randint(2, 8)) for letters in ("abcd", "wxyz"))
    matrix = [[draw.random() < 0.15 for _ in source] for _ in target]
    found = {*count_phrases([(source, target)], [matrix], 7)}
    assert {*extracted_by_thot([(source, target)], [matrix], 7, 10**6, tmp_path)} <= found
    for t, row in enumerate(matrix):
        row[t * len(source) // len(target)] = True
    for s in range(len(source)):
        matrix[s * len(target) // len(source)][s] = True
    found = {*count_phrases([(source, target)], [matrix], 7)}
    (tmp_path / "linked").mkdir()
    assert {
        *extracted_by_thot([(source, target)], [matrix], 7, 10**6, tmp_path / "linked")
    } == found


@needs_thot
def test_phrases_reorder_where_a_gloss_does_not(engine: PhraseEngine) -> None:
    train_pairs, test = invented(200, 1), invented(30, 3)
    sources, references = map(list, zip(*test, strict=True))
    forth, _ = learn_lexicons(*map(list, zip(*train_pairs, strict=True)))
    gloss = translated(GlossEngine({("ind", "jav"): forth}), *sources)
    assert translated(engine, *sources) == references
    assert not any(made == right for made, right in zip(gloss, references, strict=True))


@needs_thot
def test_lines_stay_and_unknown_words_are_copied(engine: PhraseEngine) -> None:
    assert translated(
        engine, "Rumah besar", "", "  ", "Zzz xyz! Rumah besar 😀", "||| <unk> NULL", "किताब।"
    ) == ["Gede omah", "", "", "Zzz xyz! Gede omah 😀", "||| <unk> NULL", "किताब।"]
    assert translated(engine) == []


@needs_thot
def test_a_long_text_is_cut_and_loses_nothing(engine: PhraseEngine) -> None:
    (made,) = translated(engine, "rumah besar, " * 300)
    assert made.count("gede") == made.count("omah") == 300
    assert made.count(",") == made.count(", ") + 1 == 300
    (made,) = translated(engine, "Rumah besar. " * 100)
    assert made == " ".join(["Gede omah."] * 100)


@needs_thot
def test_the_same_text_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    learn(tmp_path / "again")

    def sums(of: Path) -> dict[str, str]:
        files = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in of.iterdir()}
        assert "decoder.json" in files
        return files

    assert sums(folder) == sums(tmp_path / "again")


@needs_thot
def test_too_long_pairs_are_counted_and_no_dev_text_tunes_nothing(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    pairs = [*invented(50, 1), ("kata " * 200, "tembung " * 200), ("", "kosong")]
    outcome = train(PhraseText(pairs, []), RECIPE, tmp_path / "m", tmp_path / "s", lambda *_: None)
    assert (outcome.pairs, outcome.too_long) == (50, 1)
    assert (outcome.perplexity, outcome.bleu_untuned, outcome.bleu) == (0, 0, 0)
    options = json.loads((tmp_path / "m" / "decoder.json").read_text())
    assert options["weights"] == [1.0] * 7 + [0.0]


@needs_thot
def test_tuning_is_never_worse_on_dev_and_leaves_no_file(tmp_path: Path) -> None:
    outcome = learn(tmp_path / "m", PhraseRecipe(tuning_pairs=5, tuning_rounds=3, order=2))
    assert outcome.bleu >= outcome.bleu_untuned > 0
    assert 1 < outcome.perplexity < 10
    assert list((tmp_path / "m-scratch").iterdir()) == []
    assert not [path for path in (tmp_path / "m").iterdir() if "dev" in path.name]


def test_without_the_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.phrases.library.find_spec", lambda name: None)
    with pytest.raises(SprachbundError, match=r"(?s)kind phrase.*sil-thot.*sprachbund\[phrase\]"):
        require_thot()


SYSTEMS = {
    "gloss": {"kind": "gloss"},
    "phrase": {"kind": "phrase", "phrases": {"tuning_pairs": 5, "tuning_rounds": 2}},
    "bt": {"kind": "trained", "synthetic": [{"by": "phrase"}]},
}


def test_a_phrase_system_stands_in_an_experiment(tmp_path: Path, store: Path) -> None:
    pivot = {"kind": "pivot", "by": "phrase", "via": "hub"}
    systems = {**SYSTEMS, "pivot": pivot}
    path = write_experiment(
        tmp_path, pairs=["hub-sis", "hub-iso"], systems=systems, transfer={}, tasks=[]
    )
    found = load_experiment(str(path))
    phrase = found.systems["phrase"]
    assert isinstance(phrase, PhraseSystem)
    assert phrase.phrases.tuning_rounds == 2
    assert not found.varies("phrase")
    tables = {s.label() for s in all_stages(str(path)) if isinstance(s, PhraseTable)}
    directions = {"hub-sis", "sis-hub", "hub-iso", "iso-hub"}
    assert tables == {f"phrase-{direction}" for direction in directions}


def test_a_wrong_hyperparameter_is_told_with_its_line(tmp_path: Path) -> None:
    systems = {"phrase": {"kind": "phrase", "phrases": {"order": 9, "longest": 3}}}
    with pytest.raises(SpecError) as error:
        load_experiment(str(write_experiment(tmp_path, systems=systems, transfer={}, tasks=[])))
    assert "line" in str(error.value)
    assert "systems.phrase.phrases.order" in str(error.value)
    assert "systems.phrase.phrases.longest" in str(error.value)


@needs_thot
def test_a_table_is_built_and_read_by_translations(tmp_path: Path, store: Path) -> None:
    systems = {name: SYSTEMS[name] for name in ("gloss", "phrase")}
    encoders = {"char-ngram": {"kind": "ngrams"}}
    written = write_experiment(tmp_path, systems=systems, transfer={"encoders": encoders}, tasks=[])
    path = str(written)
    tables = find_stages(path, "PhraseTable")
    assert {table.label() for table in tables} == {"phrase-hub-sis", "phrase-sis-hub"}
    made = [
        stage
        for stage in find_stages(path, "Translation")
        if stage.label() == "phrase-1-bitext-hub-sis-hub-sis-beam1"
    ]
    building.run(made)
    (table,) = [stage for stage in tables if stage.complete()]
    manifest = Artifact(table.place.artifact).manifest
    assert manifest["counts"]["phrases"] > 100
    assert manifest["counts"]["train"]["used"] > 250
    assert manifest["counts"]["target_text"] > 0
    assert manifest["tuning"]["bleu"] >= manifest["tuning"]["bleu_untuned"] > 0
    (test,) = [read_columns(m.artifact.path("test.parquet"), ["text"])["text"] for m in made]
    assert len(test) == 40
    assert all(test)
