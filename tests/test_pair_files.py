"""A new pair: the scaffold is valid, its files are found, and a check says what is wrong."""

from pathlib import Path

import pytest
import yaml

from models.errors import SourceError, SpecError
from pipeline.pair_files import check_pair, new_pair
from pipeline.specs.loading import load_manifest
from pipeline.specs.manifests import PairManifest
from tasks.sources.fetching import sha256_of


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPRACHBUND_MIRROR", raising=False)


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def texts(folder: Path, ind: str = "teks.ind", ban: str = "teks.ban") -> list[Path]:
    return [
        write(folder / ind, "satu dua", "", "tiga"),
        write(folder / ban, "besik dadua", "kosong", "telu"),
    ]


def check(path: Path, *, fetch_corpora: bool = True) -> str:
    return "\n".join(check_pair(str(path), fetch_corpora=fetch_corpora))


def test_a_pair_made_from_files_passes_its_check(tmp_path: Path) -> None:
    mono = write(tmp_path / "mono.txt", "Siki. Kalih!", "siki")
    path = new_pair("ind-ban", parallel=texts(tmp_path), mono=[mono], out=tmp_path / "ind-ban.yaml")
    found = check(path)
    assert f"{path}: the manifest is valid" in found
    assert "ind-ban-text: 3 sentence pairs, 2 usable (dropped: 1 empty)" in found
    assert "1.5 words in ind, 1.5 words in ban" in found
    assert "ban-text: 3 sentences, 2 usable (dropped: 1 duplicate)" in found


def test_the_files_are_pinned(tmp_path: Path) -> None:
    files = texts(tmp_path)
    path = new_pair("ind-ban", parallel=files, mono=[], out=tmp_path / "ind-ban.yaml")
    source = yaml.safe_load(path.read_text())["parallel"][0]["source"]
    assert [file["sha256"] for file in source["files"]] == [sha256_of(file) for file in files]
    assert [file["language"] for file in source["files"]] == ["ind", "ban"]
    write(files[1], "lain", "lain", "lain")
    with pytest.raises(SourceError, match=r"teks\.ban: checksum differs"):
        check(path)


@pytest.mark.parametrize(
    ("ind", "ban"),
    [
        ("a/teks", "b/teks"),
        ("teks #1: akhir, {x}.ind", "- 'teks'.ban"),
        ("ꦲꦏ꧀ꦱꦫ.ind", 'kutip".ban'),
        ("no", "1e5"),
    ],
)
def test_any_path_makes_a_manifest_that_passes(tmp_path: Path, ind: str, ban: str) -> None:
    path = new_pair(
        "ind-ban",
        parallel=texts(tmp_path / "d: #1", ind, ban),
        mono=[write(tmp_path / "x: y" / "m: 1.txt", "siki"), write(tmp_path / "z", "kalih")],
        out=tmp_path / "ind-ban.yaml",
    )
    assert "ban-text: 2 sentences, 2 usable" in check(path)


@pytest.mark.parametrize("with_mono", [False, True])
def test_the_template_is_valid_and_asks_for_what_is_missing(
    tmp_path: Path, with_mono: bool
) -> None:
    mono = [write(tmp_path / "mono.txt", "siki")] if with_mono else []
    path = new_pair("ind-ban", parallel=[], mono=mono, out=tmp_path / "ind-ban.yaml")
    assert path.read_text().count("monolingual:") == 1
    pair = load_manifest(path, PairManifest)
    assert pair.languages == ("ind", "ban")
    data = yaml.safe_load(path.read_text())
    source = data["parallel"][0]["source"]
    assert source["files"] == [{"name": "train.csv", "sha256": "0" * 64}]
    assert source["format"]["columns"] == {"ind": "source_text", "ban": "target_text"}
    (text,) = data["monolingual"]["ban"]
    assert text["name"] == ("ban-text" if with_mono else "my-text")
    assert "valid" in check(path, fetch_corpora=False)


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path / "ind-ban.yaml", "kept")
    with pytest.raises(SpecError, match="exists already"):
        new_pair("ind-ban", parallel=[], mono=[], out=path)
    assert path.read_text() == "kept\n"


@pytest.mark.parametrize("name", ["ind", "ind-", "ind-balinese", "IND-ban", "in1-ban", "ind-ind"])
def test_a_name_that_is_not_two_codes_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new.yaml"
    with pytest.raises(SpecError, match=f"{name}: expected HUB-LANGUAGE"):
        new_pair(name, parallel=[], mono=[], out=path)
    assert not path.exists()


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    one, two = texts(tmp_path)
    out = tmp_path / "new.yaml"
    with pytest.raises(SpecError, match="two of them"):
        new_pair("ind-ban", parallel=[one], mono=[], out=out)
    with pytest.raises(SpecError, match=r"gone\.txt: no such file"):
        new_pair("ind-ban", parallel=[one, tmp_path / "gone.txt"], mono=[], out=out)
    with pytest.raises(SpecError, match=r"gone\.txt: no such file"):
        new_pair("ind-ban", parallel=[one, two], mono=[tmp_path / "gone.txt"], out=out)
    assert not out.exists()


def made(folder: Path, *, ban: tuple[str, ...] = ("besik", "dua", "telu")) -> Path:
    files = [
        write(folder / "t.ind", "satu", "dua", "tiga"),
        write(folder / "t.ban", *ban),
    ]
    return new_pair("ind-ban", parallel=files, mono=[], out=folder / "ind-ban.yaml")


def test_check_names_a_pair_that_is_called_otherwise(tmp_path: Path) -> None:
    other = made(tmp_path).rename(tmp_path / "other.yaml")
    with pytest.raises(SpecError, match="named 'ind-ban', its file 'other'"):
        check(other, fetch_corpora=False)


def test_check_names_an_unknown_pair() -> None:
    with pytest.raises(SpecError, match="did you mean 'ind-jav'"):
        list(check_pair("ind-jva", fetch_corpora=False))


def test_check_reads_to_the_last_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"t\.ban ends after 2 lines, t\.ind goes on"):
        check(made(tmp_path, ban=("besik", "dua")))


def test_check_names_a_corpus_without_a_usable_row(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="ind-ban-text: none of its 3 sentence pairs"):
        check(made(tmp_path, ban=("", "...", " ")))


def test_an_offline_check_does_not_need_the_files(tmp_path: Path) -> None:
    path = made(tmp_path)
    (tmp_path / "t.ban").unlink()
    assert "valid" in check(path, fetch_corpora=False)
    with pytest.raises(SourceError, match=r"t\.ban: no such file"):
        check(path)
