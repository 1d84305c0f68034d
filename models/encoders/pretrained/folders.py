"""Read an encoder from a Hugging Face folder or a packed file, and publish it cut to a study."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from models.encoders.pretrained.cutting import cut_embeddings, cut_tokenizer, normalised
from models.encoders.pretrained.packed import PackedModel
from models.support.errors import SourceError

if TYPE_CHECKING:
    import tokenizers
    import transformers

HUGGINGFACE, SETTINGS, CTRANSLATE2 = "huggingface", "encoder.json", "ctranslate2"
TOKENIZER = "tokenizer.json"
CASE_PROBE = "Je K\u00e9 \u0416 \u0394"
MOST_PIECES, FEWEST_PIECES = 512, 8
CONVERTED = ("bert", "xlm-roberta", "roberta")
"""Architectures that CTranslate2 runs."""
OFFSET_POSITIONS = ("xlm-roberta", "roberta")
"""Architectures whose positions are counted from behind the padding's id."""

Pooling = Literal["mean", "first"]


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """How an encoder wants its text, and how a vector is made of its states.

    `prefix` begins every input; `pooling`: the mean over all pieces, or the first one's state;
    longer inputs are cut at `max_pieces`.
    """

    prefix: str = ""
    pooling: Pooling = "mean"
    max_pieces: int = MOST_PIECES

    def write(self, folder: Path) -> None:
        """Write the settings beside the published folder."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (folder / SETTINGS).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "EncoderSettings":
        """Read what `write` wrote."""
        return cls(**json.loads((folder / SETTINGS).read_text(encoding="utf-8")))


class Checkpoint(NamedTuple):
    """The files of an encoder: a packed file or a folder; and whether it tells cases apart."""

    folder: Path
    packed: str | None
    cased: bool

    def read_tokenizer(self) -> "tokenizers.Tokenizer":
        """Read the tokenizer alone; raises SourceError for one that is not as described."""
        if self.packed:
            return PackedModel(self.folder / self.packed).tokenizer
        return _read_tokenizer(self)


class PublishOrder(NamedTuple):
    """What to publish, for texts of which characters, and where."""

    checkpoint: Checkpoint
    characters: frozenset[str]
    settings: EncoderSettings
    max_pieces: int | None
    out: Path


class Published(NamedTuple):
    """Pieces before and after, weights after, and whether CTranslate2 can run it."""

    pieces: int
    kept_pieces: int
    weights: int
    converted: bool
    max_pieces: int


def publish(order: PublishOrder) -> Published:
    """Write `huggingface/`, `encoder.json`, and `ctranslate2/` where that can be.

    `AutoModel` and `AutoTokenizer` load the folder as they are. Raises SourceError for an encoder
    that is not whole, or not as described.
    """
    model, tokenizer, special = _read(order.checkpoint)
    positions = _positions(model.config)
    longest = _longest(order, positions)
    before = tokenizer.get_vocab_size()
    cut = cut_tokenizer(tokenizer, order.characters)
    if cut:
        cut_embeddings(model, cut.kept)
        tokenizer = cut.tokenizer
    _write(model, tokenizer, special, longest, order.out / HUGGINGFACE)
    settings = order.settings
    EncoderSettings(prefix=settings.prefix, pooling=settings.pooling, max_pieces=longest).write(
        order.out
    )
    return Published(
        before,
        tokenizer.get_vocab_size(),
        sum(weights.numel() for weights in model.parameters()),
        convert(order.out, model.config.model_type),
        longest,
    )


def _longest(order: PublishOrder, positions: int) -> int:
    wanted = order.max_pieces
    if positions < FEWEST_PIECES:
        raise SourceError(
            f"{order.checkpoint.folder}: the encoder has positions for {positions} pieces; "
            f"{FEWEST_PIECES} are the least"
        )
    if wanted is not None and wanted > positions:
        raise SourceError(
            f"{order.checkpoint.folder}: `max_pieces` is {wanted}, but the encoder has positions "
            f"for {positions} pieces; write {positions} or fewer"
        )
    return wanted or min(MOST_PIECES, positions)


def _positions(config: Any) -> int:
    """Return the most pieces an encoder has positions for."""
    places = int(config.max_position_embeddings)
    return places - config.pad_token_id - 1 if config.model_type in OFFSET_POSITIONS else places


def _read(
    checkpoint: Checkpoint,
) -> tuple["transformers.PreTrainedModel", "tokenizers.Tokenizer", dict[str, str]]:
    """Return encoder, tokenizer and the names of its special tokens."""
    be_quiet()
    if checkpoint.packed:
        packed = PackedModel(checkpoint.folder / checkpoint.packed)
        return packed.model, packed.tokenizer, packed.special_tokens
    tokenizer = _read_tokenizer(checkpoint)
    special = _auto_tokenizer(checkpoint).special_tokens_map
    model = _read_model(checkpoint.folder)
    rows = model.get_input_embeddings().weight.shape[0]
    pieces = 1 + max(tokenizer.get_vocab().values())
    if pieces > rows:
        raise SourceError(
            f"{checkpoint.folder}: the tokenizer has {pieces:,} pieces, the encoder's vocabulary "
            f"{rows:,}: they are of different models"
        )
    return model, tokenizer, {name: str(token) for name, token in special.items()}


def be_quiet() -> None:
    """Have transformers keep to itself that a pooler, which nothing here uses, is missing."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def read_weights(kind: Any, folder: Path, problem: str, way_out: str = "") -> tuple[Any, Any]:
    """Read a folder's weights, float32, as a class of transformers; return what loading said, too.

    Raises SourceError, which names the `problem`, and the `way_out` where there is one.
    """
    import torch

    try:
        model, loading = kind.from_pretrained(
            folder,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as error:
        # a library that reads files of strangers: whatever it says about them is the answer
        advice = f"; {way_out}" if way_out else ""
        raise SourceError(f"{folder}: {problem}: {error}{advice}") from error
    return model, loading


def _read_model(folder: Path) -> "transformers.PreTrainedModel":
    from transformers import AutoModel

    model: Any
    model, loading = read_weights(AutoModel, folder, "the encoder cannot be loaded")
    if model.config.is_encoder_decoder or not hasattr(model.config, "max_position_embeddings"):
        raise SourceError(
            f"{folder}: a {model.config.model_type} model; encoders like BERT, XLM-R or DeBERTa "
            "are expected"
        )
    missing = sorted(name for name in loading["missing_keys"] if "pooler" not in name)
    if missing:
        raise SourceError(
            f"{folder}: {len(missing)} weights are missing, {missing[0]} among them; the file "
            "is of another model"
        )
    return model.eval()


def _auto_tokenizer(checkpoint: Checkpoint) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            checkpoint.folder,
            local_files_only=True,
            trust_remote_code=False,
            do_lower_case=not checkpoint.cased,  # transformers 5 lower-cases where a folder is mute
        )
    except Exception as error:
        raise SourceError(
            f"{checkpoint.folder}: the tokenizer cannot be loaded: {error}"
        ) from error


def _read_tokenizer(checkpoint: Checkpoint) -> "tokenizers.Tokenizer":
    from tokenizers import Tokenizer

    path = checkpoint.folder / TOKENIZER
    if path.exists():
        try:
            # not by AutoTokenizer, which builds it anew and may lower-case then
            found = Tokenizer.from_file(str(path))
        except Exception as error:
            raise SourceError(f"{path}: not a tokenizer: {error}") from error
    else:
        backend = getattr(_auto_tokenizer(checkpoint), "backend_tokenizer", None)
        if not isinstance(backend, Tokenizer):
            raise SourceError(
                f"{checkpoint.folder}: its tokenizer exists in Python alone; one that the library "
                f"`tokenizers` runs ({TOKENIZER}) is needed"
            )
        found = backend
    _check_case(checkpoint, found)
    found.no_padding()
    found.no_truncation()
    return found


def _check_case(checkpoint: Checkpoint, tokenizer: "tokenizers.Tokenizer") -> None:
    seen = normalised(CASE_PROBE, tokenizer)
    if checkpoint.cased and seen == seen.lower():
        raise SourceError(
            f"{checkpoint.folder}: the tokenizer lower-cases ({CASE_PROBE!r} becomes {seen!r}), "
            "and the manifest says `cased: true`: a cased vocabulary would answer with unknown "
            "pieces. Put the right tokenizer there, or write `cased: false`"
        )


def _write(
    model: "transformers.PreTrainedModel",
    tokenizer: "tokenizers.Tokenizer",
    special: dict[str, str],
    longest: int,
    folder: Path,
) -> None:
    from transformers import PreTrainedTokenizerFast

    if model.config.model_type in CONVERTED:
        model.config.position_embedding_type = "absolute"  # CTranslate2's converter asks for it
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=longest, **special
    ).save_pretrained(folder)


def convert(out: Path, architecture: str) -> bool:
    """Write the folder in CTranslate2's form, in int8; say whether it can be."""
    if architecture not in CONVERTED:
        return False
    from ctranslate2.converters import TransformersConverter

    converter = TransformersConverter(str(out / HUGGINGFACE))
    try:
        converter.convert(str(out / CTRANSLATE2), quantization="int8")
    except (ValueError, NotImplementedError, AttributeError, AssertionError):
        return False  # an activation or a position that it does not know: torch encodes
    return True


def read_published_tokenizer(folder: Path) -> "tokenizers.Tokenizer":
    """Read the tokenizer of a published encoder."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / HUGGINGFACE / TOKENIZER))
