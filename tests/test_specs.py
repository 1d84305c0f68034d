"""Manifests: the shipped ones are valid; a bad one gets every problem, its line and a way out."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from models.support.errors import SpecError
from pipeline.specs.coverage import LanguageList, Macrolanguages
from pipeline.specs.encoders import EncoderManifest
from pipeline.specs.experiment import Experiment
from pipeline.specs.loading import (
    MANIFESTS,
    find_manifest,
    load_experiment,
    load_manifest,
)
from pipeline.specs.manifests import Manifest, PairManifest, TaskManifest
from tasks.sources.checkpoints import ModelFolder
from tasks.sources.description import Files, Table
from tests.conftest import write_experiment, write_yaml

PAIR = """\
# a comment
name: ind-mad
languages: [ind, mad]
parallel:
  - name: kalimat
    licence: CC0-1.0
    source:
      kind: files
      base: data
      files:
        - {name: a.csv}
        - name: b.csv
          split: test
      format: {kind: csv, id: id, columns: {ind: sumber, mad: tujuan}}
monolingual:
  mad:
    - name: teks
      licence: CC0-1.0
      source:
        kind: files
        base: https://example.org/v1
        files: [{name: t.txt, language: mad, sha256: abc}]
        format: {kind: text}
split: {rule: hash, dev: 3, test: 4}
"""

TASK = """\
name: emosi
source_language: ind
labels: [anger, happy]
texts:
  ind: &corpus
    name: kalimat
    licence: CC0-1.0
    source:
      kind: files
      base: data
      files: [{name: a.csv, split: train}]
      format: {kind: csv, columns: {text: teks, label: emosi}}
  mad: *corpus
"""

MODELS: dict[str, type[Manifest]] = {
    "pairs": PairManifest,
    "tasks": TaskManifest,
    "models": LanguageList,
    "languages": Macrolanguages,
}


def kind_of(path: Path) -> type[Manifest] | None:
    if path.parent.name == "models" and "kind: pretrained" in path.read_text(encoding="utf-8"):
        return EncoderManifest
    return MODELS.get(path.parent.name)


SHIPPED = [(path, kind_of(path)) for path in sorted(MANIFESTS.glob("*/*.yaml"))]


@pytest.mark.parametrize(
    ("path", "model"), SHIPPED, ids=[f"{p.parent.name}/{p.stem}" for p, _ in SHIPPED]
)
def test_shipped_manifests_are_valid(path: Path, model: type[Manifest] | None) -> None:
    loaded = load_manifest(path, model) if model else load_experiment(str(path))
    assert loaded.name == path.stem  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mbert", "a list of the languages of mbert, without weights; .* mbert-cased"),
        ("e5-smal", "did you mean 'e5-small'"),
        ("broken", "lang.*write what it has seen"),
    ],
)
def test_an_encoder_without_sound_manifest_is_refused(name: str, said: str, tmp_path: Path) -> None:
    fields = {"name": "broken", "title": "b", "kind": "pretrained", "licence": "MIT", "weights": 1}
    source = {"kind": "folder", "path": "x"}
    write_yaml(tmp_path / "models" / "broken.yaml", {**fields, "source": source, "cased": True})
    encoders = {"mine": {"kind": "pretrained", "model": name}}
    experiment = write_experiment(tmp_path, transfer={"encoders": encoders})
    with pytest.raises(SpecError, match=f"(?s){said}"):
        load_experiment(str(experiment))


def test_an_encoder_of_ones_own_lies_beside_the_experiment(tmp_path: Path) -> None:
    fields = {"name": "own", "title": "own", "kind": "pretrained", "licence": "MIT", "weights": 1}
    fields |= {"cased": True, "languages": ["jav"], "source": {"kind": "folder", "path": "../w"}}
    write_yaml(tmp_path / "models" / "own.yaml", fields)
    encoders = {"mine": {"kind": "pretrained", "model": "own"}}
    study = load_experiment(str(write_experiment(tmp_path, transfer={"encoders": encoders})))
    source = study.models["own"].source
    assert isinstance(source, ModelFolder)
    assert source.path == str(tmp_path / "w")
    with pytest.raises(SpecError, match="models: unknown field; encoders name their models"):
        load_experiment(str(write_experiment(tmp_path, models=["own"])))


def test_sums_of_a_model_belong_to_a_commit(tmp_path: Path) -> None:
    text = (MANIFESTS / "models" / "labse.yaml").read_text(encoding="utf-8")
    files = "  files: [{name: config.json, sha256: abc}]\n"
    (tmp_path / "labse.yaml").write_text(text.replace("  kind: hub\n", f"  kind: hub\n{files}"))
    with pytest.raises(SpecError, match=r"source\.revision: .*write its 40 digits"):
        load_manifest(tmp_path / "labse.yaml", EncoderManifest)


def test_every_shipped_remote_file_is_pinned() -> None:
    corpora = []
    for path, model in SHIPPED:
        if model is PairManifest:
            pair = load_manifest(path, PairManifest)
            corpora += [*pair.parallel, *(c for text in pair.monolingual.values() for c in text)]
        elif model is TaskManifest:
            corpora += load_manifest(path, TaskManifest).texts.values()
    files = [f for c in corpora if isinstance(c.source, Files) for f in c.source.files]
    assert files
    assert [file.name for file in files if file.sha256 is None] == []
    assert [corpus.name for corpus in corpora if not corpus.licence] == []


def load(
    folder: Path, text: str, model: type[PairManifest] | type[TaskManifest] = PairManifest
) -> PairManifest | TaskManifest:
    path = folder / "ind-mad.yaml"
    path.write_text(text, encoding="utf-8")
    return load_manifest(path, model)


def problems(
    folder: Path, text: str, model: type[PairManifest] | type[TaskManifest] = PairManifest
) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load(folder, text, model)
    head, *lines = str(caught.value).splitlines()
    count = f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
    assert head == f"{folder / 'ind-mad.yaml'}: {count}"
    return [line.strip() for line in lines]


def test_the_examples_of_this_file_are_valid(tmp_path: Path) -> None:
    assert load(tmp_path, PAIR).name == "ind-mad"
    assert load(tmp_path, TASK, TaskManifest).name == "emosi"


@pytest.mark.parametrize(
    ("was", "now", "problem"),
    [
        ("split: {", "spilt: {", "line 24: spilt: unknown field; did you mean 'split'?"),
        (
            "    licence",
            "    license",
            "line 6: parallel, entry 1, license: unknown field; did you mean 'licence'?",
        ),
        (
            "      base",
            "      bass",
            "parallel, entry 1, source.bass: unknown field; did you mean 'base'?",
        ),
        (
            "split: test",
            "splitt: test",
            "line 13: parallel, entry 1, source.files, entry 2, splitt: unknown field; "
            "did you mean 'split'?",
        ),
        (
            "language: mad",
            "langauge: mad",
            "line 22: monolingual.mad, entry 1, source.files, entry 1, langauge: unknown field; "
            "did you mean 'language'?",
        ),
        ("dev: 3", "devv: 3", "line 24: split.devv: unknown field; did you mean 'dev'?"),
    ],
)
def test_an_unknown_field_gets_line_and_suggestion(
    tmp_path: Path, was: str, now: str, problem: str
) -> None:
    found = problems(tmp_path, PAIR.replace(was, now, 1))
    assert [line for line in found if problem in line], found


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("[ind, mad]", "[ind, Madurese]", ["line 3", "languages, entry 2", "'Madurese'"]),
        ("[ind, mad]", "[ind]", ["line 3", "languages, entry 2", "required"]),
        ("[ind, mad]", "[mad, mad]", ["languages", "'mad' stands there twice"]),
        ("name: ind-mad", "name: Ind Mad", ["line 2", "name", "'Ind Mad'"]),
        ("dev: 3", "dev: -3", ["line 24", "split.dev", "-3"]),
        ("dev: 3", "dev: many", ["line 24", "split.dev", "'many'"]),
        ("rule: hash", "rule: hsh", ["line 24", "split", "no rule 'hsh'; did you mean 'hash'?"]),
        ("split: test", "split: tset", ["line 13", "files, entry 2, split", "'tset'"]),
        ("mad: tujuan", "jav: tujuan", ["kalimat", "`columns` does not map mad"]),
        ("language: mad", "language: ind", ["teks", "no file has `language: mad`"]),
        ("  mad:\n", "  jav:\n", ["'jav' is not a language of this pair"]),
        ("{ind: sumber, mad: tujuan}", "{ind: sumber, text: [1]}", ["line 14", "columns.text"]),
    ],
)
def test_a_wrong_value_is_one_problem_with_its_place(
    tmp_path: Path, was: str, now: str, words: Sequence[str]
) -> None:
    first, *others = problems(tmp_path, PAIR.replace(was, now, 1))
    assert [word for word in words if word not in first] == [], first
    assert not others or was.startswith("  mad") or "files" not in first


def test_all_problems_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    text = PAIR.replace("[ind, mad]", "[ind, MAD]").replace("dev: 3", "dve: 3")
    found = problems(tmp_path, text.replace("licence: CC0-1.0", "licence: [1]"))
    assert [line.split(":")[0] for line in found] == ["line 3", "line 6", "line 18", "line 24"]


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("source_language: ind", "source_language: jav", ["texts", "'jav' is missing"]),
        ("label: emosi", "lable: emosi", ["texts.ind.source", "does not map label"]),
        ("[anger, happy]", "[anger]", ["line 3", "labels", "at least 2"]),
        ("name: emosi", "name: emosi\nlables: [a, b]", ["lables", "did you mean 'labels'"]),
    ],
)
def test_task_problems(tmp_path: Path, was: str, now: str, words: Sequence[str]) -> None:
    found = "\n".join(problems(tmp_path, TASK.replace(was, now, 1), TaskManifest))
    assert [word for word in words if word not in found] == [], found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "valid dictionary"),
        (b"- a\n- b\n", "valid dictionary"),
        (b"name: [ind\n", "not valid YAML"),
        (b"name: ind\nhub: ind\nname: jav\n", "'name' stands here a second time"),
        (b"name: caf\xe9\n", "cannot be read"),
    ],
)
@pytest.mark.parametrize("read", [lambda p: load_manifest(p, PairManifest), load_experiment])
def test_a_file_that_is_no_manifest_is_a_spec_error(
    tmp_path: Path, content: bytes, words: str, read: Callable[[object], object]
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read(path if read is not load_experiment else str(path))
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("no", "false"),
        ("Yes", "true"),
        ("on", "true"),
        ("0", "the number 0"),
        ("010", "the number 8"),
        ("0x1F", "the number 31"),
        ("1_000", "the number 1000"),
        ("12:30:45", "the number 45045"),
        ("1.50", "the number 1.5"),
        ("2001-12-14", "a date"),
        ("~", "nothing"),
        ("null", "nothing"),
    ],
)
def test_what_yaml_takes_for_no_text_is_named_and_how_to_quote_it(
    tmp_path: Path, written: str, read: str
) -> None:
    text = TASK.replace("[anger, happy]", f"[{written}, happy]")
    assert problems(tmp_path, text, TaskManifest) == [
        f"line 3: labels, entry 1: YAML reads {written} as {read}; "
        f"quote it to have the text: '{written}'"
    ]
    quoted = TASK.replace("[anger, happy]", f"['{written}', happy]")
    loaded = load(tmp_path, quoted, TaskManifest)
    assert isinstance(loaded, TaskManifest)
    assert loaded.labels == (written, "happy")


def test_each_label_that_is_no_text_is_a_problem_of_its_own(tmp_path: Path) -> None:
    found = problems(tmp_path, TASK.replace("[anger, happy]", "[yes, no]"), TaskManifest)
    assert [line[: line.index(" as ")] for line in found] == [
        "line 3: labels, entry 1: YAML reads yes",
        "line 3: labels, entry 2: YAML reads no",
    ]


@pytest.mark.parametrize(
    ("was", "now", "problem"),
    [
        ("  mad:\n", "  no:\n", "monolingual.no: 'no' is no ISO 639-3 code; did you mean 'nob'"),
        ("  mad:\n", "  010:\n", "monolingual.010: '010' is no ISO 639-3 code"),
        (
            "[ind, mad]",
            "[ind, no]",
            "languages, entry 2: YAML reads no as false; for Norwegian write nor",
        ),
        ("split: test", "split: off", "files, entry 2, split: YAML reads off as false; quote it"),
        ("name: ind-mad", "name:", "line 2: name: nothing stands here; expected text"),
        ("mad: tujuan", "mad: 2", "columns.mad: YAML reads 2 as the number 2; quote it"),
    ],
)
def test_keys_are_read_as_written_and_places_stay_names(
    tmp_path: Path, was: str, now: str, problem: str
) -> None:
    found = problems(tmp_path, PAIR.replace(was, now, 1))
    assert [line for line in found if problem in line], found


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("dev: yes, test: 4", ["dev: expected a number, found true (YAML reads yes so)"]),
        ("dev: 3, test: off", ["test: expected a number, found false (YAML reads off so)"]),
        (
            "train: no, seed: true",
            [
                "train: expected a number, found false (YAML reads no so)",
                "seed: expected a number, found true",
            ],
        ),
    ],
)
def test_a_truth_value_is_no_number(tmp_path: Path, split: str, expected: list[str]) -> None:
    text = PAIR.replace("dev: 3, test: 4", split)
    found = problems(tmp_path, text)
    assert found == [f"line 24: split.{problem}" for problem in expected]
    both = problems(tmp_path, text.replace("split: test", "split: best", 1))
    assert len(both) == len(expected) + 1


def test_a_truth_value_is_no_share_of_a_task(tmp_path: Path) -> None:
    text = f"{TASK}split: {{rule: shares, dev: 0.1, test: true}}\n"
    found = problems(tmp_path, text, TaskManifest)
    assert found == ["line 14: split.test: expected a number, found true"]


def test_truth_values_stay_where_they_are_meant(tmp_path: Path) -> None:
    text = PAIR.replace("{kind: csv, id: id,", "{kind: csv, header: yes, quoted: no, id: id,")
    loaded = load(tmp_path, text)
    assert isinstance(loaded, PairManifest)
    source = loaded.parallel[0].source
    assert isinstance(source, Files)
    assert isinstance(source.format, Table)
    assert (source.format.header, source.format.quoted) == (True, False)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"nmt": {"max_updates": True, "dropout": False}}, ["nmt.max_updates", "nmt.dropout"]),
        ({"slice": {"train": True}}, ["slice.train"]),
        ({"transfer": {"classifier": {"strengths": [1.0, True]}}},
         ["transfer.classifier.strengths, entry 2"]),
        ({"systems": {"base": {"kind": "trained", "replicates": True}}},
         ["systems.base.replicates"]),
        ({"systems": {"base": {"kind": "trained", "nmt": {"layers": True, "heads": True}}}},
         ["systems.base.nmt.heads", "systems.base.nmt.layers: unknown field"]),
    ],
)  # fmt: skip
def test_an_experiment_takes_no_truth_value_for_a_number(
    tmp_path: Path, changes: dict[str, object], expected: list[str]
) -> None:
    with pytest.raises(SpecError) as caught:
        load_experiment(str(write_experiment(tmp_path, **changes)))
    _, *found = str(caught.value).splitlines()
    wrong = [
        line for line in found if "expected a number, found" in line or "unknown field" in line
    ]
    assert [part in line for part, line in zip(expected, wrong, strict=True)] == [True] * len(wrong)
    assert "expected a number, found true" in found[0]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("{ind: id, mad: 2}", ["source.format.columns.mad: YAML reads 2 as the number 2"]),
        (
            "{ind: id, mad: [no, mad]}",
            ["source.format.columns.mad, entry 1: YAML reads no as false"],
        ),
        ("{ind: id, mad: {a: b}}", ["source.format.columns.mad: Input should be a valid string"]),
        ("{ind: id, mad: [mad, mad-Latn]}", []),
    ],
)
def test_tags_of_a_memory_are_one_or_several(
    tmp_path: Path, columns: str, expected: list[str]
) -> None:
    text = f"""name: ind-mad
languages: [ind, mad]
parallel:
  - name: memory
    licence: CC0-1.0
    source: {{kind: files, base: ., files: [{{name: a.tmx}}],
             format: {{kind: tmx, columns: {columns}}}}}
split: {{rule: hash}}
"""
    found = problems(tmp_path, text) if expected else []
    load(tmp_path, text) if not expected else None
    assert [line.split("parallel, entry 1, ")[1][: len(expected[0])] for line in found] == expected


def test_a_local_base_is_relative_to_its_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    pair = load(tmp_path, PAIR)
    assert isinstance(pair, PairManifest)
    bases = [c.source.base for c in (*pair.parallel, *pair.monolingual["mad"])]  # type: ignore[union-attr]
    assert bases == [str(tmp_path / "data"), "https://example.org/v1"]


def test_a_manifest_cannot_be_changed(tmp_path: Path) -> None:
    pair = load(tmp_path, PAIR)
    with pytest.raises(ValueError, match="frozen"):
        pair.name = "other"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sandbx", "did you mean 'sandbox'?"),
        ("nusa-min", "did you mean 'nusa-mini'?"),
        (
            "zzz",
            "there are: bible, bible-mini, nusa, .*sandbox, world",
        ),
    ],
)
def test_an_unknown_experiment_suggests(name: str, words: str) -> None:
    with pytest.raises(SpecError, match=f"'{name}'.*{words.replace('?', '.')}"):
        load_experiment(name)


def test_an_experiment_finds_its_own_manifests_first(tmp_path: Path) -> None:
    study = load_experiment(str(write_experiment(tmp_path, ("sis", "cou"))))
    assert study.languages == ("sis", "cou")
    assert study.directions == (("hub", "sis"), ("sis", "hub"), ("hub", "cou"), ("cou", "hub"))
    assert study.pair("hub-cou").split.dev == 30  # type: ignore[union-attr]
    own = tmp_path / "pairs" / "hub-sis.yaml"
    assert find_manifest("pairs", "hub-sis", near=tmp_path / "experiments") == own.resolve()
    assert find_manifest("pairs", "hub-sis") == (MANIFESTS / "pairs" / "hub-sis.yaml").resolve()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hub": "sis"}, ["pair hub-sis", "begins with 'hub'", "the hub is 'sis'"]),
        ({"pairs": ["hub-sis", "hub-sis"]}, ["pair hub-sis is listed twice", "language sis"]),
        ({"pairs": []}, ["pairs", "at least 1"]),
        ({"pairs": ["hub-sus"]}, ["'hub-sus'", "did you mean 'hub-sis'"]),
        ({"pairs": ["hub-iso"]}, ["task stance: shares no language"]),
        ({"tasks": ["stanse"]}, ["'stanse'", "did you mean"]),
        ({"nmt": {"max_updats": 3}}, ["nmt.max_updats", "did you mean 'max_updates'"]),
        ({"slice": {"train": 0}}, ["slice.train", "greater than or equal to 1"]),
        ({"evaluation": {"seed": 0}}, ["evaluation.seed"]),
        ({"cleaning": {"max_word": 3}}, ["cleaning.max_word", "did you mean 'max_words'"]),
    ],
)
def test_experiment_problems(
    tmp_path: Path, changes: dict[str, object], words: Sequence[str]
) -> None:
    path = write_experiment(tmp_path, ("sis",), **changes)
    with pytest.raises(SpecError) as caught:
        load_experiment(str(path))
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


def test_two_pairs_of_one_language_are_named(tmp_path: Path) -> None:
    path = write_experiment(tmp_path, pairs=["hub-sis", "hub-sis-too"])
    pair = (tmp_path / "pairs" / "hub-sis.yaml").read_text()
    too = tmp_path / "pairs" / "hub-sis-too.yaml"
    too.write_text(pair.replace("name: hub-sis", "name: hub-sis-too"))
    with pytest.raises(SpecError, match="language sis is listed twice"):
        load_experiment(str(path))


def test_a_local_data_set_is_found_beside_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    corpus = {
        "name": "local",
        "licence": "none",
        "source": {"kind": "dataset", "name": "text", "columns": {"hub": "a", "sis": "b"}},
    }
    pair = {
        "name": "hub-sis",
        "languages": ["hub", "sis"],
        "parallel": [corpus],
        "split": {"rule": "hash"},
    }
    path = tmp_path / "hub-sis.yaml"
    path.write_text(yaml.safe_dump(pair), encoding="utf-8")
    source = load_manifest(path, PairManifest).parallel[0].source
    assert source.name == str((tmp_path / "text").resolve())


def test_a_remote_file_without_a_checksum_is_a_problem_with_a_way_out(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, PAIR.replace(", sha256: abc", ""))
    assert problem.startswith(
        "line 22: monolingual.mad, entry 1, source.files, entry 1: corpus teks: file t.txt"
    )
    assert "has no `sha256`; write 64 zeros" in problem


def test_two_corpora_of_one_name_and_different_sources_are_a_problem(tmp_path: Path) -> None:
    from tests.conftest import pair_manifest, write_experiment, write_yaml

    experiment = write_experiment(tmp_path, languages=("sis", "cou"))
    other = pair_manifest("cou")
    other["monolingual"]["hub"][0]["keep"] = "a*"  # type: ignore[index]
    write_yaml(tmp_path / "pairs" / "hub-cou.yaml", other)
    with pytest.raises(SpecError, match="a different monolingual corpus 'mono-hub' of 'hub'"):
        load_experiment(str(experiment))


def test_shipped_splits_cannot_be_sliced(tmp_path: Path) -> None:
    from tests.conftest import pair_manifest, write_experiment, write_yaml

    experiment = write_experiment(tmp_path, slice={"test": 10})
    write_yaml(
        tmp_path / "pairs/hub-sis.yaml", pair_manifest("sis") | {"split": {"rule": "shipped"}}
    )
    with pytest.raises(SpecError, match="shipped splits, which cannot be sliced"):
        load_experiment(str(experiment))


@pytest.mark.parametrize("name", ["sandbox", "nusa", "nusa-published", "bible", "world", "nusax"])
def test_a_default_that_is_written_out_is_the_default(name: str) -> None:
    """`3` and `3.0` are one value to a user, and two to a fingerprint."""
    experiment = load_experiment(name)
    written_out = Experiment.model_validate(experiment.model_dump(mode="json"))
    assert written_out.model_dump_json() == experiment.model_dump_json()


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ("ftp://example.org/data", "ftp addresses are not fetched"),
        ("https://me:hunter2@example.org/data", "no user name or password"),
    ],
)
def test_other_addresses_and_secrets_are_refused(tmp_path: Path, base: str, words: str) -> None:
    at = PAIR.index("base: ")
    was = PAIR[at:].splitlines()[0]
    found = problems(tmp_path, PAIR.replace(was, f"base: {base}", 1))
    assert any(words in problem for problem in found), found
    assert "hunter2" not in "".join(found)
