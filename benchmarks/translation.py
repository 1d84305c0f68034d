"""Translation beside fairseq-generate, Hugging Face and bare CTranslate2: sentences a second.

`python -m benchmarks.translation EXPERIMENT`: with the first training of the experiment's first
trained system, made now where the store has none. Ours is the whole stage: read, segment,
translate, write.
Bare CTranslate2 gets all segmented sentences in one call. The slow ones translate an evenly spread
part of the sentences, and are compared with ours on that part. Nobody's loading counts.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.material import Material, binarize_test, first_training, prepare
from benchmarks.measuring import MOST_PIECES, Record, arguments, at_most, finish, ratio, say
from benchmarks.rivals import fairseq, seq2seq
from models.engines.nmt import BATCH_TOKENS, NmtEngine, translation_device
from models.engines.protocol import Decoding
from models.nmt.publish import HUGGINGFACE
from models.subwords import Subwords, language_tag
from pipeline.running import building
from pipeline.stages.stage import Inputs
from pipeline.stages.systems.registry import load_engine
from pipeline.store import Artifact
from tasks.mt.number_format import MOST_LOST, TranslationType
from tasks.mt.translation import Order, as_texts, stream_translation, write_texts
from tasks.records import Record as TextRecord
from tasks.records import read_columns

BEAM = 4
DECODING = Decoding(beam=BEAM, max_pieces=MOST_PIECES)


class Text(NamedTuple):
    """Sentences to translate, and the binary data fairseq reads them from."""

    path: Path
    records: list[TextRecord]
    binary: Path


def trained_model(experiment: str) -> Artifact:
    """Return the experiment's first model, trained now if it is not there."""
    model = first_training(experiment)
    building.run([model])
    return model.artifact


def write_text(material: Material, limit: int, name: str) -> Text:
    """Write evenly spread sentences of the monolingual text, also as fairseq's data."""
    source = material.direction[0]
    columns = read_columns(material.monolingual, ["id", source])
    step = max(1, len(columns["id"]) // limit)
    chosen = {key: values[::step][:limit] for key, values in columns.items()}
    path = material.folder / f"{name}.parquet"
    binary = binarize_test(material.data, chosen, material.direction, path)
    return Text(path, as_texts(path, source), binary)


def stage(material: Material, engine: NmtEngine, text: Text, name: str) -> float:
    """Return the sentences a second of the whole stage."""
    source, target = material.direction
    started = time.perf_counter()
    records = as_texts(text.path, source)
    shards = material.folder / name
    translated = stream_translation(records, engine, Order(source, target, DECODING), shards=shards)
    count = write_texts(material.folder / f"{name}.out.parquet", translated)
    return count / (time.perf_counter() - started)


def bare_ctranslate2(material: Material, engine: NmtEngine, text: Text) -> float:
    """Return the sentences a second of CTranslate2 alone, on segmented text in one call."""
    tag = language_tag(material.direction[1])
    pieces = Subwords(material.data.subwords).encode_pieces([r["text"] for r in text.records])
    batch = [[tag, *sentence] for sentence in pieces]
    started = time.perf_counter()
    engine._translator.translate_batch(
        batch,
        batch_type="tokens",
        max_batch_size=BATCH_TOKENS[translation_device()],
        beam_size=BEAM,
        max_decoding_length=MOST_PIECES,
        disable_unk=True,
    )
    return len(batch) / (time.perf_counter() - started)


def fairseq_generate(material: Material, text: Text, start: Text, checkpoint: Path) -> float:
    """Return the sentences a second of `fairseq-generate`, without its start.

    Its own clock leaves out reading and writing; a single sentence takes the time of the start.
    """
    seconds = []
    for binary in (start.binary, text.binary):
        started = time.perf_counter()
        fairseq.generate(material.data, binary, checkpoint, material.direction, BEAM)
        seconds.append(time.perf_counter() - started)
    return (len(text.records) - len(start.records)) / (seconds[1] - seconds[0])


def measure(
    material: Material, model: Artifact, *, sentences: int, rival_sentences: int, repetitions: int
) -> Iterator[Record]:
    """Translate with each in turn; yield the ratios."""
    many = write_text(material, sentences, "many")
    some = write_text(material, rival_sentences, "some")
    one = write_text(material, 1, "one")
    checkpoint = fairseq.write_checkpoint(material, model.path(HUGGINGFACE))
    chosen = TranslationType(**model.manifest["training"]["translation"])
    inputs = {"model": [model], "subwords": [Artifact(material.data.subwords.parent)]}
    engine = load_engine({"kind": "trained"}, Inputs(inputs))
    assert isinstance(engine, NmtEngine)  # noqa: S101
    source, target = material.direction
    engine.translate([("", "warm")], source=source, target=target, decoding=DECODING)
    speeds: dict[str, list[float]] = {}
    for number in range(repetitions):
        for name, speed in (
            ("bare", bare_ctranslate2(material, engine, many)),
            ("many", stage(material, engine, many, f"many-{number}")),
            ("some", stage(material, engine, some, f"some-{number}")),
            ("fairseq", fairseq_generate(material, some, one, checkpoint)),
            ("generate", seq2seq.translate(material, model.path(HUGGINGFACE), some.records, BEAM)),
        ):
            speeds.setdefault(name, []).append(speed)
            say(f"{name}: {speed:,.1f} sentences/s")
    form = f"translation in {chosen.compute_type}, sentences/s"
    yield ratio(f"{form}: stage / fairseq-generate", speeds["some"], speeds["fairseq"], 10)
    yield ratio(f"{form}: stage / transformers generate", speeds["some"], speeds["generate"], 10)
    yield ratio(f"{form}: stage / bare CTranslate2", speeds["many"], speeds["bare"], 0.95)
    lost = chosen.bleu["float32"] - chosen.bleu[chosen.compute_type]
    yield at_most("translation: BLEU lost by the chosen number format on dev", lost, MOST_LOST)


def main(arguments_: Sequence[str] | None = None) -> None:
    """Measure, print, and write JSON."""
    parser = arguments(__doc__)
    parser.add_argument("experiment", nargs="?", default="nusa")
    parser.add_argument("--sentences", type=int, default=20_000)
    parser.add_argument("--rival-sentences", type=int, default=2_000)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args(arguments_)
    model = trained_model(options.experiment)
    with tempfile.TemporaryDirectory() as name:
        material = prepare(options.experiment, Path(name) / "material")
        records = list(
            measure(
                material,
                model,
                sentences=options.sentences,
                rival_sentences=options.rival_sentences,
                repetitions=options.repetitions,
            )
        )
    finish(records, options.out)


if __name__ == "__main__":
    main()
