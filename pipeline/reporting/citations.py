"""What a paper on a study has to cite: its data, its models and the methods it used, as BibTeX."""

from collections.abc import Iterable, Iterator, Sequence

from pipeline.reporting.findings import corpora
from pipeline.reporting.latex import escape, slug
from pipeline.reporting.records import Contrast, MtScore, Score
from pipeline.specs.encoders import EncoderManifest
from pipeline.specs.experiment import Experiment
from pipeline.specs.systems import PhraseSystem, TrainedSystem
from tasks.mt.scoring import BLEU
from tasks.sources.description import Corpus

METHODS = {
    "papineni-2002": (
        "Papineni, Kishore and Roukos, Salim and Ward, Todd and Zhu, Wei-Jing",
        "BLEU: a Method for Automatic Evaluation of Machine Translation",
        "Proceedings of ACL",
        2002,
    ),
    "popovic-2017": (
        "Popović, Maja",
        "chrF++: words helping character n-grams",
        "Proceedings of the Second Conference on Machine Translation",
        2017,
    ),
    "post-2018": (
        "Post, Matt",
        "A Call for Clarity in Reporting BLEU Scores",
        "Proceedings of the Third Conference on Machine Translation",
        2018,
    ),
    "holm-1979": (
        "Holm, Sture",
        "A Simple Sequentially Rejective Multiple Test Procedure",
        "Scandinavian Journal of Statistics",
        1979,
    ),
    "vaswani-2017": (
        "Vaswani, Ashish and others",
        "Attention Is All You Need",
        "Advances in Neural Information Processing Systems",
        2017,
    ),
    "ott-2019": (
        "Ott, Myle and others",
        "fairseq: A Fast, Extensible Toolkit for Sequence Modeling",
        "Proceedings of NAACL-HLT: Demonstrations",
        2019,
    ),
    "kudo-2018": (
        "Kudo, Taku and Richardson, John",
        "SentencePiece: A simple and language independent subword tokenizer and detokenizer for "
        "Neural Text Processing",
        "Proceedings of EMNLP: System Demonstrations",
        2018,
    ),
    "sennrich-2016": (
        "Sennrich, Rico and Haddow, Barry and Birch, Alexandra",
        "Improving Neural Machine Translation Models with Monolingual Data",
        "Proceedings of ACL",
        2016,
    ),
    "koehn-2003": (
        "Koehn, Philipp and Och, Franz J. and Marcu, Daniel",
        "Statistical Phrase-Based Translation",
        "Proceedings of HLT-NAACL",
        2003,
    ),
}
"""Authors, title, where, year."""


def bibliography(scores: Sequence[Score], experiment: Experiment | None) -> str:
    """Return BibTeX entries; without an experiment, of the methods that the figures tell of."""
    methods = (_method(key) for key in METHODS if key in _used(scores, experiment))
    return "\n".join([*(_data(experiment) if experiment else ()), *methods])


def _used(scores: Sequence[Score], experiment: Experiment | None) -> set[str]:
    """Return the methods that figures and systems rest on."""
    metrics = {s.metric for s in scores if isinstance(s, MtScore)}
    used = {"post-2018"} if metrics else set()
    used |= {"papineni-2002"} if BLEU in metrics else set()
    used |= {"popovic-2017"} if "chrF++" in metrics else set()
    if any(isinstance(s, Contrast) and s.p is not None for s in scores):
        used.add("holm-1979")
    for system in experiment.systems.values() if experiment else ():
        if isinstance(system, PhraseSystem):
            used.add("koehn-2003")
        if isinstance(system, TrainedSystem):
            used |= {"vaswani-2017", "ott-2019", "kudo-2018"}
            if any(text.real == "target" for text in system.synthetic):
                used.add("sennrich-2016")
    return used


def _method(key: str) -> str:
    author, title, place, year = METHODS[key]
    kind, field = ("article", "journal") if "Journal" in place else ("inproceedings", "booktitle")
    fields = {"author": author, "title": f"{{{title}}}", field: place, "year": str(year)}
    return _entry(kind, key, fields.items())


def _data(experiment: Experiment) -> Iterator[str]:
    """Yield an entry a corpus and encoder: how its manifest says to cite it, and its licence."""
    keys: dict[str, int] = {}
    sources: list[Corpus | EncoderManifest] = [*corpora(experiment), *experiment.models.values()]
    for source in sources:
        key = f"data-{slug(source.name)}"
        keys[key] = keys.get(key, 0) + 1  # one name may stand for texts under several licences
        again = f"-{keys[key]}" if keys[key] > 1 else ""
        cited = f"{source.citation}. " if source.citation else ""
        address = {"url": source.homepage} if source.homepage else {}
        fields = {
            "title": f"{{{escape(source.name)}}}",
            "note": escape(f"{cited}Licence: {source.licence}"),
            **address,
        }
        yield _entry("misc", f"{key}{again}", fields.items())


def _entry(kind: str, key: str, fields: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        [f"@{kind}{{{key},", *(f"  {name} = {{{value}}}," for name, value in fields), "}\n"]
    )
