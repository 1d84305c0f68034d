"""No stage's code changes without its version, or a word that the results are the same."""

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

from pipeline.dag import STAGES
from pipeline.looking.reach import Project
from pipeline.looking.versions import LOCK, MOST_NAMED, ROOT, main, read_lock

LARGEST_LOCK = 60_000

SOURCES = {
    "pipeline/stages/stage.py": """
class Stage:
    VERSION = 1
""",
    "pipeline/stages/words.py": '''
from typing import ClassVar

from models.support.errors import SourceError
from pipeline.stages.stage import Stage
from tasks import cleaning
from tasks.counting import Counter
from tasks.registry import engine

class Words(Stage):
    """Clean words."""

    VERSION: ClassVar[int] = 2

    def requires(self):
        return {"order": order_of(self)}

    @staticmethod
    def build(spec: "WordsSpec", inputs, out):
        """Make them."""
        out.progress(0.5, "half")
        if not inputs:
            raise SourceError(f"nothing to read in {out}")
        engine(spec.kind).run([cleaning.clean(word) for word in inputs], Words._suffix())

    @staticmethod
    def _suffix():
        return ".txt"

class WordsSpec:
    kind = "plain"

def order_of(stage: Stage):
    return "alphabet"

class Counts(Stage):
    """How often each word occurs."""

    @staticmethod
    def build(spec, inputs, out):
        out.write(Counter().count(inputs))
''',
    "pipeline/dag.py": """
from pipeline.stages.stage import Stage
from pipeline.stages.words import Counts, Words
import tasks.fast

STAGES: tuple[type[Stage], ...] = (Words, Counts)
""",
    "tasks/__init__.py": "",
    "tasks/cleaning.py": """
from tasks.letters import lowered as lower

LIMIT = 100

def clean(word):
    # cut, then lowered
    return lower(word[:LIMIT])

def unrelated(word):
    return word * 2
""",
    "tasks/letters.py": """
def lowered(word):
    return _folded(word).lower()

def _folded(word):
    return word.replace("ß", "ss")
""",
    "tasks/counting.py": """
from collections import defaultdict
from tasks.tallies import Tally

class Counter(Tally):
    def count(self, words):
        from tasks.letters import lowered
        def lower(LIMIT):
            return lowered(LIMIT)
        found = defaultdict(int)
        for word in words:
            found[lower(word)] += self.step
        return found
""",
    "tasks/tallies.py": """
class Tally:
    step = 1
""",
    "tasks/registry.py": """
ENGINES = {}

def engine(kind):
    return ENGINES[kind]
""",
    "tasks/fast.py": """
from tasks.registry import ENGINES

class Fast:
    def run(self, words, suffix):
        return start("models.child.run", words)

def start(module, words):
    return module, words

ENGINES["plain"] = Fast()
""",
    "models/child/__init__.py": "",
    "models/child/run.py": """
from importlib import import_module

def main():
    import_module("models.child.plugins").load()

if __name__ == "__main__":
    main()
""",
    "models/child/plugins/__init__.py": "def load():\n    pass\n",
    "models/child/plugins/quick.py": "SPEED = 3\n",
    "models/child/plugins/page.html": "<p>",
    "models/support/errors.py": "class SourceError(Exception):\n    pass\n",
}

STAGES_FILE = "pipeline/stages/words.py"
BUILD = "pipeline.stages.words.Words.build"


class Edit(NamedTuple):
    """A change of a file, the stages that it changes, and the piece of code that is named."""

    file: str
    old: str
    new: str
    stages: str = ""
    piece: str = ""


SAME_CODE = {
    "docstring": Edit(STAGES_FILE, '"""Make them."""', '"""Make all of them."""'),
    "comment": Edit("tasks/cleaning.py", "# cut, then lowered", "# lowered"),
    "formatting": Edit("tasks/cleaning.py", "word[:LIMIT]", "\n        word[ : LIMIT]\n    "),
    "unrelated function": Edit("tasks/cleaning.py", "word * 2", "word * 3"),
    "progress": Edit(STAGES_FILE, '(0.5, "half")', '(0.4, "nearly half")'),
    "what an error says": Edit(STAGES_FILE, "nothing to read", "no words"),
    "what a stage requires": Edit(STAGES_FILE, "order_of(self)", "self.experiment"),
    "function that asks a stage": Edit(STAGES_FILE, '"alphabet"', '"frequency"'),
    "errors": Edit("models/support/errors.py", "pass", "exit_code = 2"),
}

CHANGED_CODE = {
    "build": Edit(STAGES_FILE, "if not inputs", "if inputs is None", "Words", BUILD),
    "error": Edit(STAGES_FILE, "raise SourceError", "raise ValueError", "Words", BUILD),
    "stage's own function": Edit(
        STAGES_FILE, '".txt"', '".csv"', "Words", "pipeline.stages.words.Words._suffix"
    ),
    "type of an argument": Edit(
        STAGES_FILE, '"plain"', '"fast"', "Words", "pipeline.stages.words.WordsSpec"
    ),
    "constant": Edit("tasks/cleaning.py", "= 100", "= 99", "Words", "tasks.cleaning.LIMIT"),
    "function of a module": Edit(
        "tasks/cleaning.py", "lower(word[", "lower(word[1:", "Words", "tasks.cleaning.clean"
    ),
    "class": Edit(
        "tasks/counting.py", "self.step", "2 * self.step", "Counts", "tasks.counting.Counter"
    ),
    "base class": Edit("tasks/tallies.py", "= 1", "= 2", "Counts", "tasks.tallies.Tally"),
    "deep callee of both": Edit(
        "tasks/letters.py", '"ss"', '"sz"', "Counts Words", "tasks.letters._folded"
    ),
    "entry of a registry": Edit(
        "tasks/fast.py", "= Fast()", "= start", "Words", "tasks.fast.ENGINES[...]"
    ),
    "what a registry holds": Edit(
        "tasks/fast.py", "return start(", "return start (*words, ", "Words", "tasks.fast.Fast"
    ),
    "module of a child process": Edit(
        "models/child/run.py",
        "main()\n",
        "main(); main()\n",
        "Words",
        "models.child.run.(statements)",
    ),
    "package named in a string": Edit(
        "models/child/plugins/quick.py", "3", "4", "Words", "models.child.plugins.quick.SPEED"
    ),
    "other file of that package": Edit(
        "models/child/plugins/page.html", "<p>", "<b>", "Words", "models.child.plugins.page.html"
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two stages, locked."""
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert main([], root=tmp_path) == 0
    return tmp_path


def edit(project: Path, name: str, old: str, new: str) -> None:
    text = (project / name).read_text(encoding="utf-8")
    assert old in text
    (project / name).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("case", SAME_CODE)
def test_what_cannot_change_a_result_changes_nothing(project: Path, case: str) -> None:
    before = Project(project).stages()
    edit(project, *SAME_CODE[case][:3])
    assert Project(project).stages() == before
    assert main(["--check"], root=project) == 0


@pytest.mark.parametrize("case", CHANGED_CODE)
def test_changed_code_is_refused_by_name(
    project: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change = CHANGED_CODE[case]
    locked = (project / LOCK).read_bytes()
    edit(project, *change[:3])
    capsys.readouterr()
    assert main(["--check"], root=project) == 1
    assert main([], root=project) == 1
    said = capsys.readouterr().err.splitlines()
    refused = {line.partition(":")[0]: line for line in said if "VERSION is still" in line}
    assert sorted(refused) == change.stages.split()
    for line in refused.values():
        assert line.endswith(f"but its code changed: {change.piece}")
    assert "raise the stage's VERSION" in "".join(said)
    assert 'make lock SAME="' in "".join(said)
    assert (project / LOCK).read_bytes() == locked


def test_a_new_version_is_accepted_once_it_is_locked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, "tasks/cleaning.py", "= 100", "= 99")
    edit(project, "pipeline/stages/words.py", "ClassVar[int] = 2", "ClassVar[int] = 3")
    assert main(["--check"], root=project) == 1
    said = capsys.readouterr().err
    assert "Words: VERSION 2 -> 3" in said
    assert "Run `make lock`" in said
    assert main([], root=project) == 0
    assert main(["--check"], root=project) == 0
    edit(project, "tasks/cleaning.py", "= 99", "= 98")
    assert main([], root=project) == 1


def test_a_version_of_one_stage_does_not_speak_for_another(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, "tasks/letters.py", '"ss"', '"sz"')
    edit(project, "pipeline/stages/words.py", "ClassVar[int] = 2", "ClassVar[int] = 3")
    assert main([], root=project) == 1
    said = capsys.readouterr().err
    assert "Counts: VERSION is still 1" in said
    assert "Words" not in said


def test_a_mark_says_why_results_are_the_same(project: Path) -> None:
    edit(project, "tasks/letters.py", "_folded(word).lower()", "_folded(word.lower())")
    assert main(["--same", 'folding "ß" first or last is one'], root=project) == 0
    assert main(["--check"], root=project) == 0
    (mark,) = read_lock(project / LOCK).same
    assert mark == ('folding "ß" first or last is one', ("Counts", "Words"))


def test_each_stage_keeps_its_last_mark_until_its_next_version(project: Path) -> None:
    edit(project, "tasks/letters.py", '"ss"', "'s' * 2")
    assert main(["--same", "two letters"], root=project) == 0
    edit(project, "tasks/cleaning.py", "= 100", "= 10 ** 2")
    assert main(["--same", "a square"], root=project) == 0
    marks = {mark.reason: mark.stages for mark in read_lock(project / LOCK).same}
    assert marks == {"two letters": ("Counts",), "a square": ("Words",)}
    edit(project, "pipeline/stages/words.py", "ClassVar[int] = 2", "ClassVar[int] = 3")
    assert main([], root=project) == 0
    assert [mark.reason for mark in read_lock(project / LOCK).same] == ["two letters"]


def test_stages_come_and_go(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project, "pipeline/dag.py", "= (Words, Counts)", "= (Words,)")
    assert main(["--check"], root=project) == 1
    assert "Counts: is no stage any more" in capsys.readouterr().err
    assert main([], root=project) == 0
    assert not [key for key in read_lock(project / LOCK).code if key.module == "tasks.counting"]
    edit(project, "pipeline/dag.py", "= (Words,)", "= (Words, Counts)")
    assert main(["--check"], root=project) == 1
    assert "Counts: is a new stage" in capsys.readouterr().err
    assert main([], root=project) == 0
    assert main(["--check"], root=project) == 0


def test_a_long_list_of_changes_is_cut(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = range(MOST_NAMED + 2)
    functions = "".join(f"\ndef step_{n}(word):\n    return word\n" for n in steps)
    edit(project, "tasks/letters.py", "def lowered", f"{functions}\ndef lowered")
    calls = "; ".join(f"step_{n}(word)" for n in steps)
    edit(project, "tasks/letters.py", "return _folded", f"{calls}\n    return _folded")
    assert main([], root=project) == 1
    line = capsys.readouterr().err.splitlines()[0]
    assert "tasks.letters.step_0 (new)" in line
    assert line.endswith(" and 3 more")


def test_a_lock_with_a_merge_conflict_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, LOCK, "[stages]", "<<<<<<< HEAD\n[stages]")
    assert main([], root=project) == 1
    assert f"{project / LOCK}: not a lock" in capsys.readouterr().err


def test_the_source_says_of_each_stage_what_python_says() -> None:
    read = {name: code.version for name, code in Project(ROOT).stages().items()}
    assert read == {stage.__name__: stage.VERSION for stage in STAGES}


def test_what_runs_in_child_processes_is_reached() -> None:
    reached = {key.module for key in Project(ROOT).stages()["TrainedModel"].pieces}
    plugin = (ROOT / "models/nmt/plugin").glob("*.py")
    with_code = {p.stem for p in plugin if ast.parse(p.read_text(encoding="utf-8")).body[1:]}
    names = {f"models.nmt.plugin.{name}" for name in with_code if name != "__init__"}
    assert names | {"models.nmt.launch", "models.nmt.publish"} <= reached


def test_a_translation_hangs_on_every_engine_but_on_no_training() -> None:
    reached = {key.module for key in Project(ROOT).stages()["Translation"].pieces}
    engines = {f"models.engines.{p.stem}" for p in (ROOT / "models/engines").glob("[!_]*.py")}
    assert engines <= reached
    assert not {"tasks.mt.training", "models.nmt.training", "models.nmt.launch"} & reached


def test_the_lock_fits_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err
    assert (ROOT / LOCK).stat().st_size <= LARGEST_LOCK
