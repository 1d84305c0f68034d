"""The contract with fairseq: what it is asked, what its log says, when it stops."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.nmt.binarize import EncodedPair, TrainingText, binarize, encoded_rows, join_some
from models.nmt.launch import EarlyStopping, Look, copy_atomically, is_finished
from models.nmt.precision import quicker_precision, resolve_precision
from models.nmt.recipe import NmtRecipe
from models.nmt.training import (
    Batch,
    PhaseFiles,
    Schedule,
    Step,
    TrainedText,
    TrainingProgress,
    fine_tune_schedule,
    main_schedule,
    parse_progress,
    train,
    training_arguments,
)
from models.subwords import BACK_TRANSLATION_TAG, EOS, SubwordRecipe, Subwords, train_subwords
from models.support.errors import OutOfMemoryError, ProcessError
from models.support.fork_server import FreshProcesses
from models.support.notes import settle_once
from models.support.processes import ChildRun, python_module, run_child
from tasks.cleaning import CleaningRules
from tasks.mt.training import BitextFiles, ModelData, SyntheticFile, describe
from tasks.records import write_records

DIRECTIONS = [("ind", "jav"), ("jav", "ind")]
PRECISION_IN_A_FORK = """
import os, sys, torch
from pathlib import Path
from models.nmt.precision import resolve_precision
from models.nmt.recipe import NmtRecipe
from models.nmt.training import training_server
torch.set_num_threads(2)
torch.ones(2048, 512) @ torch.ones(512, 2048)
if fork := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]))
folder = Path(sys.argv[1])
with training_server(folder, threads=2) as server:
    print(resolve_precision(NmtRecipe(width=64), server=server, log=folder / "log"), flush=True)
os._exit(0)
"""


def arguments(
    recipe: NmtRecipe,
    precision: str = "bf16",
    *,
    schedule: Schedule | None = None,
    batch: Batch | None = None,
) -> list[str]:
    return training_arguments(
        recipe,
        phase=PhaseFiles(Path("main/data"), Path("main/checkpoints"), Path("curves")),
        text=TrainedText(["ind", "jav"], DIRECTIONS),
        step=Step(
            schedule or main_schedule(recipe), batch or Batch(recipe.batch_tokens), precision
        ),
    )


def value(argv: list[str], option: str) -> str:
    return argv[argv.index(option) + 1]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("--task", "translation_multi_simple_epoch"),
        ("--langs", "ind,jav"),
        ("--lang-pairs", "ind-jav,jav-ind"),
        ("--encoder-langtok", "tgt"),
        ("--sampling-method", "temperature"),
        ("--required-batch-size-multiple", "1"),
        ("--dropout", "0.25"),
        ("--max-tokens", "512"),
        ("--seed", "7"),
    ],
)
def test_fairseq_is_asked_for(option: str, expected: str) -> None:
    recipe = NmtRecipe(dropout=0.25, batch_tokens=512, seed=7)
    assert value(arguments(recipe), option) == expected


def test_a_halved_batch_makes_the_same_update_until_a_sentence_may_not_fit() -> None:
    assert Batch(2048).halved() == Batch(1024, 2)
    assert Batch(1024, 2).halved() == Batch(512, 4)
    assert Batch(1023).halved() is None
    argv = arguments(NmtRecipe(), batch=Batch(512, 4))
    assert (value(argv, "--max-tokens"), value(argv, "--update-freq")) == ("512", "4")


@pytest.mark.parametrize(
    ("dying", "expected"),
    [
        ("raise RuntimeError('CUDA out of memory. Tried to allocate 2.00 GiB')", True),
        ('raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] can\'t allocate memory")', True),
        ("raise MemoryError", True),
        ("raise RuntimeError('shape mismatch')", False),
        ("import os; os.kill(os.getpid(), 9)", False),
    ],
)
def test_a_child_that_dies_for_want_of_memory_is_known_by_it(
    tmp_path: Path, dying: str, expected: bool
) -> None:
    with pytest.raises(ProcessError) as caught:
        run_child([sys.executable, "-c", dying], tmp_path / "log")
    assert isinstance(caught.value, OutOfMemoryError) is expected


def test_norms_come_first_on_both_sides_as_ctranslate2_needs() -> None:
    argv = arguments(NmtRecipe())
    assert {"--encoder-normalize-before", "--decoder-normalize-before"} <= set(argv)


@pytest.mark.parametrize(("precision", "expected"), [("bf16", True), ("fp32", False)])
def test_autocast_follows_the_precision(precision: str, expected: bool) -> None:
    assert ("--autocast-bf16" in arguments(NmtRecipe(), precision)) is expected


@pytest.mark.parametrize("asked", ["bf16", "fp32"])
def test_a_precision_that_the_recipe_names_is_not_measured(tmp_path: Path, asked: Any) -> None:
    unused = FreshProcesses({})
    log = tmp_path / "log"
    assert resolve_precision(NmtRecipe(precision=asked), server=unused, log=log) == asked
    assert not log.exists()


def test_of_two_trainings_that_measure_a_machine_at_once_both_go_by_the_first(
    tmp_path: Path,
) -> None:
    note = tmp_path / "precision-64-128"
    for answer in ("bf16", "fp32"):
        settle_once(note, answer)
    assert note.read_text() == "bf16"
    assert [path.name for path in tmp_path.iterdir()] == [note.name]


def test_precision_is_found_in_a_fork_of_a_process_that_has_computed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRECISION_IN_A_FORK, tmp_path],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() in ("bf16", "fp32")


@pytest.mark.parametrize(
    ("native", "speedup", "width", "expected"),
    [
        (True, 2.0, 64, "bf16"),
        (True, 1.2, 64, "fp32"),  # near a tie, the next look might say the contrary
        (True, 0.5, 64, "fp32"),
        (False, 2.0, 64, "fp32"),
        (True, 2.0, 32, "fp32"),  # so small that conversion decides
    ],
)
def test_bf16_is_used_where_it_is_native_and_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, native: bool, speedup: float, width: int, expected: str
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    monkeypatch.setattr("models.nmt.precision.bf16_speedup", lambda *_: speedup)
    assert quicker_precision(width, 2 * width) == expected


@pytest.mark.parametrize("tagged", [True, False])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_synthetic_text_feeds_its_own_direction_only_and_is_tagged_where_asked(
    direction: tuple[str, str], tagged: bool
) -> None:
    data = ModelData(
        subwords=Path("m"),
        hub="ind",
        pairs=[BitextFiles("jav", Path("train"), Path("dev"))],
        synthetic=[SyntheticFile(*direction, Path("synthetic"), tagged)],
        human_repeats=3,
    )
    train = [
        (t.source, t.target, t.path.name, t.tagged, t.repeat)
        for t in data.texts()
        if t.split == "train"
    ]
    assert sorted(train) == sorted(
        [
            ("ind", "jav", "train", False, 3),
            ("jav", "ind", "train", False, 3),
            (*direction, "synthetic", tagged, 1),
        ]
    )
    assert {t.tagged for t in data.texts() if t.split == "valid"} == {False}


def test_nothing_of_a_machine_is_in_a_recipe() -> None:
    """A recipe is in the fingerprint: to move a study would train it all again."""
    facts = {"threads", "on_gpu", "gpu", "gpus", "device", "launcher", "workers"}
    assert not facts & {field.name for field in dataclasses.fields(NmtRecipe)}


@pytest.mark.parametrize("kind", [NmtRecipe, CleaningRules])
def test_a_recipe_tells_what_each_of_its_fields_is(kind: Any) -> None:
    told = set(re.findall(r"``(\w+)``", kind.__doc__))
    assert {field.name for field in dataclasses.fields(kind)} <= told


def test_copied_text_gives_each_direction_its_target_as_source() -> None:
    pairs = [BitextFiles("jav", Path("train"), Path("dev"))]
    data = ModelData(Path("m"), "ind", pairs, synthetic=[], human_repeats=1, copied=True)
    copies = [(t.source, t.target) for t in data.texts() if t.copied]
    assert copies == [("ind", "jav"), ("jav", "ind")]


def test_fine_tuning_goes_on_where_the_learning_rate_had_come_to() -> None:
    recipe = NmtRecipe(
        learning_rate=2e-3, warmup_updates=400, max_updates=1600, fine_tune_updates=500
    )
    assert fine_tune_schedule(recipe, 6400, start_from=Path("x")).learning_rate == 5e-4
    schedule = fine_tune_schedule(recipe, 1600, start_from=Path("best.pt"))
    assert schedule.learning_rate == pytest.approx(1e-3)
    assert (schedule.updates, schedule.warmup_updates) == (500, 50)
    argv = arguments(recipe, "fp32", schedule=schedule)
    assert value(argv, "--finetune-from-model") == "best.pt"
    assert value(argv, "--max-update") == "500"
    assert "--finetune-from-model" not in arguments(recipe)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_joining_lines_loses_and_moves_no_word(share: float) -> None:
    rows = [EncodedPair([n, n], [-n]) for n in range(1000)]
    joined = list(join_some(rows, share, lambda row: len(row.source) < 5, seed=1))
    assert [i for row in joined for i in row.source] == [i for row in rows for i in row.source]
    assert [i for row in joined for i in row.target] == [i for row in rows for i in row.target]
    doubles = sum(len(row.target) == 2 for row in joined) / len(joined)
    assert doubles == pytest.approx(share, abs=0.05)
    assert joined == list(join_some(rows, share, lambda row: len(row.source) < 5, seed=1))


def test_lines_too_long_to_be_joined_stay_single() -> None:
    rows = [EncodedPair([n] * 4, [n]) for n in range(100)]
    assert list(join_some(rows, 0.5, lambda row: len(row.source) < 5, seed=1)) == rows


def test_dev_text_is_never_joined() -> None:
    pairs = [BitextFiles("jav", Path("train"), Path("dev"))]
    synthetic = [SyntheticFile("jav", "ind", Path("synthetic"))]
    data = ModelData(Path("m"), "ind", pairs, synthetic, 2, copied=True, joined_share=0.2)
    shares = {(t.split, t.joined_share) for t in data.texts()}
    assert shares == {("train", 0.2), ("valid", 0.0)}


def record(kind: str, **fields: str) -> str:
    return f"2026-01-01 00:00:00 | INFO | {kind} | {json.dumps(fields)}\n"


def test_training_progress_is_read_from_the_log() -> None:
    line = record("train_inner", epoch="1", num_updates="50", ppl="12.5", wps="3000")
    progress = parse_progress(line)
    assert progress is not None
    assert (progress.updates, progress.perplexity, progress.validation) == (50, 12.5, False)
    bare = parse_progress("INFO:train_inner:" + line.partition("| train_inner | ")[2])
    assert bare == progress


def test_validation_progress_is_read_from_the_log() -> None:
    line = record("valid", epoch="2", valid_num_updates="100", valid_ppl="9.1", valid_wps="1")
    progress = parse_progress(line)
    assert progress is not None
    assert (progress.updates, progress.perplexity, progress.validation) == (100, 9.1, True)


def test_a_training_that_goes_on_says_from_where() -> None:
    said = "Loaded checkpoint /a b/main/checkpoint_{}.pt (epoch 3 @ 1500 updates)"
    progress = parse_progress(said.format("last"))
    assert progress is not None
    assert (progress.updates, progress.epoch, progress.resumed) == (1500, 3, True)
    assert describe(progress) == "epoch 3, resumed from here"
    assert parse_progress(said.format("best")) is None  # where a second phase begins


@pytest.mark.parametrize(("begun", "expected"), [(False, []), (True, [(0, 1, True)])])
def test_a_training_that_was_killed_before_it_was_saved_begins_anew_and_says_so(
    tmp_path: Path, begun: bool, expected: list[tuple[int, int, bool]]
) -> None:
    class Idle(FreshProcesses):
        def run(self, *_: object, **__: object) -> ChildRun:
            return ChildRun([], 0.0)

    if begun:
        (tmp_path / "checkpoints").mkdir()
    told: list[TrainingProgress] = []
    train(
        NmtRecipe(),
        [],
        tmp_path / "checkpoints",
        subwords=tmp_path / "subwords",
        server=Idle({}),
        log=tmp_path / "log.txt",
        on_progress=told.append,
    )
    assert [(now.updates, now.epoch, now.resumed) for now in told] == expected


@pytest.mark.parametrize(
    "line", ["", "INFO: loading valid data", "| INFO | train_inner | {broken", record("train")]
)
def test_other_lines_are_no_progress(line: str) -> None:
    assert parse_progress(line) is None


def stops(history: Path, losses: list[float], patience: int = 2) -> list[bool]:
    stopping = EarlyStopping(history, patience)
    return [stopping.observe(Look(100 * n, loss)) for n, loss in enumerate(losses, start=1)]


def test_training_stops_when_the_best_is_old_enough(tmp_path: Path) -> None:
    assert stops(tmp_path / "h.json", [3.0, 2.0, 2.1, 2.2]) == [False, False, False, True]


def test_an_interruption_does_not_reset_patience(tmp_path: Path) -> None:
    history = tmp_path / "h.json"
    assert stops(history, [3.0, 2.0, 2.1]) == [False, False, False]
    resumed = EarlyStopping(history, 2)
    assert resumed.observe(Look(400, 2.2))


def test_a_future_lost_in_a_crash_is_forgotten(tmp_path: Path) -> None:
    history = tmp_path / "h.json"
    stops(history, [3.0, 1.0, 2.1])
    resumed = EarlyStopping(history, 2)
    assert not resumed.observe(
        Look(200, 2.0)
    )  # the second validation once more, now without its 1.0
    assert not resumed.observe(Look(300, 2.1))
    assert resumed.observe(Look(400, 2.1))


def checkpoint(path: Path, updates: int) -> Path:
    import torch

    torch.save({"optimizer_history": [{"num_updates": updates}]}, path)
    return path


@pytest.mark.parametrize(
    ("updates", "losses", "finished"),
    [
        (300, [3.0, 2.0, 1.0], True),  # all updates made
        (200, [3.0, 2.0], False),
        (400, [1.0, 2.0, 2.1], True),  # the best is two validations old
        (200, [1.0, 2.0, 2.1], False),  # the third validation has no checkpoint: it was lost
    ],
)
def test_a_killed_training_knows_whether_it_had_ended(
    tmp_path: Path, updates: int, losses: list[float], finished: bool
) -> None:
    history = tmp_path / "h.json"
    stops(history, losses)
    last = checkpoint(tmp_path / "checkpoint_last.pt", updates)
    max_updates = 300 if losses[-1] == 1.0 else 1000
    assert is_finished(last, EarlyStopping(history, 2), max_updates) is finished


def test_a_training_that_never_began_has_not_ended(tmp_path: Path) -> None:
    stopping = EarlyStopping(tmp_path / "h.json", 2)
    assert not is_finished(tmp_path / "checkpoint_last.pt", stopping, 100)


def test_a_copied_checkpoint_is_whole_or_the_old_one(tmp_path: Path) -> None:
    source, target = tmp_path / "a.pt", tmp_path / "b.pt"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    copy_atomically(str(source), str(target), overwrite=True)
    assert target.read_bytes() == b"new"
    assert {p.name for p in tmp_path.iterdir()} == {"a.pt", "b.pt"}


def test_a_failing_child_is_reported_with_the_tail_of_its_log(tmp_path: Path) -> None:
    argv = python_module("models.nmt.publish", tmp_path / "no.pt", tmp_path, tmp_path)
    with pytest.raises(ProcessError, match=r"exited with 1[\s\S]*no\.pt"):
        run_child(argv, tmp_path / "log.txt")
    assert "FileNotFoundError" in (tmp_path / "log.txt").read_text()


def test_a_child_sees_no_shell(tmp_path: Path) -> None:
    seen: list[str] = []
    run_child(["printf", "%s\n", "$HOME; rm -rf x"], tmp_path / "log.txt", on_line=seen.append)
    assert seen == ["$HOME; rm -rf x\n"]


def test_fairseq_reads_the_very_ids_that_were_written(tmp_path: Path) -> None:
    from fairseq.data.indexed_dataset import MMapIndexedDataset

    lines = ["kala sume", "", "sume sume kala", "a kala"]
    train_subwords(lines * 20, ["aaa", "bbb"], SubwordRecipe(size=100), tmp_path / "model")
    subwords = Subwords(tmp_path / "model")
    path = tmp_path / "text.parquet"
    write_records(path, {"id": ["1", "2", "3", "4"], "aaa": lines, "bbb": lines[::-1]})
    texts = [TrainingText(path, "train", "aaa", "bbb", tagged=True, repeat=2)]
    counts = binarize(subwords, texts, ["aaa", "bbb"], tmp_path / "data", max_pieces=100)
    source, target = (
        MMapIndexedDataset(str(tmp_path / "data" / f"train.aaa-bbb.{side}"))
        for side in ("aaa", "bbb")
    )
    tag = subwords.piece_id(BACK_TRANSLATION_TAG)
    expected = [[tag, *ids, EOS] for ids in subwords.encode_ids(lines)]
    assert [source[i].tolist() for i in range(len(source))] == expected * 2
    assert [i for line in target for i in line.tolist()][-1] == EOS
    assert counts["train.aaa-bbb"]["target_pieces"] == int(target.sizes.sum())


def test_a_look_at_the_dev_loss_reads_pairs_from_all_over_a_long_dev_set(tmp_path: Path) -> None:
    words = ["kala", "sume", "toli", "bero"]
    lines = [words[n * 4 // 30_000] for n in range(30_000)]  # four corpora, one after another
    train_subwords(words * 20, ["aaa", "bbb"], SubwordRecipe(size=100), tmp_path / "model")
    subwords = Subwords(tmp_path / "model")
    path = tmp_path / "dev.parquet"
    write_records(path, {"id": list(map(str, range(30_000))), "aaa": lines, "bbb": lines})
    pair = BitextFiles("bbb", path, path)
    data = ModelData(tmp_path / "model", "aaa", [pair], [], 1, validation_pairs=8)
    (dev, _) = (text for text in data.human_texts() if text.split == "valid")
    read = [row.source for row in encoded_rows(dev, subwords)]
    assert read == [ids for ids in subwords.encode_ids(words) for _ in range(2)]
