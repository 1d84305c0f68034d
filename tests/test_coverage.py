"""The lists of languages are as published, and are read with macrolanguages in mind."""

from collections import Counter
from importlib import import_module

import pytest

from pipeline.specs.coverage import (
    FAMILIES,
    IDENTIFIER,
    coverage,
    language_list,
    macrolanguages,
    usual_scripts,
)
from pipeline.specs.loading import MANIFESTS

MANIFEST_NAMES = sorted(path.stem for path in (MANIFESTS / "models").glob("*.yaml"))


def has_weights(name: str) -> bool:
    text = (MANIFESTS / "models" / f"{name}.yaml").read_text(encoding="utf-8")
    return "kind: pretrained" in text


MODELS = [name for name in MANIFEST_NAMES if not has_weights(name)]


def test_every_list_is_used_and_every_used_list_is_there() -> None:
    assert sorted([*FAMILIES, IDENTIFIER]) == MODELS


@pytest.mark.parametrize("name", MODELS)
def test_a_list_says_where_it_comes_from(name: str) -> None:
    found = language_list(name)
    assert found.name == name
    assert found.source
    assert found.homepage.startswith("https://")


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("mbart-50", "mbart50.tokenization_mbart50"),
        ("m2m-100", "m2m_100.tokenization_m2m_100"),
        ("nllb-200", "nllb.tokenization_nllb"),
    ],
)
def test_a_translator_takes_the_codes_of_its_list(name: str, module: str) -> None:
    codes = import_module(f"transformers.models.{module}").FAIRSEQ_LANGUAGE_CODES
    published = codes["m2m100"] if isinstance(codes, dict) else codes
    assert sorted(language_list(name).languages.values()) == sorted(published)


def test_the_identifier_knows_the_codes_of_its_list() -> None:
    langid = pytest.importorskip("py3langid.langid")
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    known = {str(code) for code, _ in identifier.rank("text")} - {"zxx"}
    assert set(language_list(IDENTIFIER).languages.values()) == known


@pytest.mark.parametrize(("name", "count"), [("mbert", 104), ("xlm-r", 100), ("py3langid", 139)])
def test_a_list_is_whole(name: str, count: int) -> None:
    assert len(language_list(name).languages) == count


def test_a_two_letter_code_means_one_language_everywhere() -> None:
    meant = {
        (own[:2], code.partition("_")[0])
        for name in ("mbart-50", "m2m-100", "py3langid")
        for code, own in language_list(name).languages.items()
        if len(own.partition("_")[0]) == 2
    }
    repeated = [own for own, n in Counter(own for own, _ in meant).items() if n > 1]
    assert not repeated


def test_macrolanguages_and_their_members_are_told_apart() -> None:
    table = macrolanguages().usual_member
    assert not set(table) & set(table.values())
    assert len(set(table.values())) == len(table)


@pytest.mark.parametrize(
    ("code", "model", "known", "listed_as"),
    [
        ("jav", "xlm-r", "yes", "jav"),
        ("jav", "mbart-50", "no", None),
        ("min", "mbert", "yes", "min"),
        ("min", "xlm-r", "no", None),
        ("btk", "nllb-200", "no", None),
        ("lav", "nllb-200", "yes", "lvs"),
        ("swh", "xlm-r", "yes", "swa"),
        ("swh", "nllb-200", "yes", "swh"),
        ("ltg", "xlm-r", "no", None),  # Latgalian is Latvian by its macrolanguage alone
        ("zho", "nllb-200", "yes", "zho"),
        ("cmn", "m2m-100", "yes", "zho"),
        ("kas_Deva", "nllb-200", "yes", "kas"),
        ("kas_Latn", "nllb-200", "no", None),
        ("hin_Latn", "xlm-r", "yes", "hin"),
        ("hin_Latn", "m2m-100", "perhaps", "hin"),
        ("sat_Olck", "nllb-200", "yes", "sat"),
        ("tgl", "xlm-r", "yes", "tgl"),
        ("fil", "xlm-r", "yes", "fil"),
    ],
)
def test_a_language_is_found_under_the_code_that_means_it(
    code: str, model: str, known: str, listed_as: str | None
) -> None:
    found = coverage(code, language_list(model))
    assert (found.known, found.listed_as) == (known, listed_as)


@pytest.mark.parametrize(
    ("code", "scripts"),
    [
        ("ukr", ["Cyrl"]),
        ("kas", ["Arab", "Deva"]),
        ("lav", ["Latn"]),
        ("srp_Latn", ["Latn"]),
        ("btk", []),
    ],
)
def test_the_usual_scripts_of_a_language(code: str, scripts: list[str]) -> None:
    assert usual_scripts(code) == scripts
