"""Leave out the pieces of a vocabulary that texts of known characters cannot need.

A piece is found in a text only where each of its characters is. So a Unigram or WordPiece tokenizer
without the pieces that hold another character cuts every such text as before. Single characters
stay all, so that a foreign letter that comes later is not unknown. Most of a multilingual encoder's
weights are its vocabulary.
"""

import json
import string
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import tokenizers
    import transformers

ALWAYS = frozenset(string.ascii_letters + string.digits + string.punctuation + "\u2581")
"""ASCII, and the character that stands for a space."""
CONTINUES = "##"
IDS_IN_CONFIG = ("pad", "bos", "eos", "cls", "sep", "unk", "mask", "decoder_start")


class CutTokenizer(NamedTuple):
    """A tokenizer with fewer pieces, and the old id of each that stays."""

    tokenizer: "tokenizers.Tokenizer"
    kept: list[int]


def characters_of(texts: Iterable[str], tokenizer: "tokenizers.Tokenizer") -> set[str]:
    """Return the characters of texts, as they are and as a tokenizer normalises them."""
    found: set[str] = set()
    for text in texts:
        found.update(text)
        found.update(normalised(text, tokenizer))
    return found


def normalised(text: str, tokenizer: "tokenizers.Tokenizer") -> str:
    """Return a text as a tokenizer sees it before it is cut."""
    return str(tokenizer.normalizer.normalize_str(text)) if tokenizer.normalizer else text


def cut_tokenizer(
    tokenizer: "tokenizers.Tokenizer", characters: Iterable[str]
) -> CutTokenizer | None:
    """Return the tokenizer without what texts of these characters cannot need.

    None where pieces are made by merging (BPE): there each hangs on the others.
    """
    from tokenizers import Tokenizer

    layout = json.loads(tokenizer.to_str())
    pieces = _pieces(layout["model"])
    if pieces is None:
        return None
    kept = _kept(layout, pieces, ALWAYS | {*characters})
    new = {old: number for number, old in enumerate(kept)}
    model = layout["model"]
    if model["type"] == "Unigram":
        model["vocab"] = [model["vocab"][old] for old in kept if old in pieces]
        model["unk_id"] = new[model["unk_id"]]
    else:
        model["vocab"] = {pieces[old]: number for old, number in new.items() if old in pieces}
    for token in layout["added_tokens"]:
        token["id"] = new[token["id"]]
    _renumber(layout["post_processor"], new)
    return CutTokenizer(Tokenizer.from_str(json.dumps(layout)), kept)


def _pieces(model: Mapping[str, Any]) -> dict[int, str] | None:
    """Return the pieces of a model by id."""
    if model["type"] == "Unigram" and not model.get("byte_fallback"):
        return {number: piece for number, (piece, _) in enumerate(model["vocab"])}
    if model["type"] == "WordPiece" and model["continuing_subword_prefix"] == CONTINUES:
        return {number: piece for piece, number in model["vocab"].items()}
    return None


def _kept(layout: Any, pieces: Mapping[int, str], alphabet: frozenset[str]) -> list[int]:
    model = layout["model"]
    always = {token["id"] for token in layout["added_tokens"]}
    if model["type"] == "Unigram":
        scores = [score for _, score in model["vocab"]]
        # what an unknown character costs is counted from the lowest score of all
        always |= {model["unk_id"], scores.index(min(scores))}
    else:
        always |= {number for number, piece in pieces.items() if piece == model["unk_token"]}
    return sorted(
        number
        for number, piece in {**dict.fromkeys(always, ""), **pieces}.items()
        if number in always or _needed(piece, alphabet)
    )


def _needed(piece: str, alphabet: frozenset[str]) -> bool:
    bare = piece.removeprefix(CONTINUES) or piece
    return len(bare) == 1 or alphabet.issuperset(bare)


def _renumber(processor: Any, new: Mapping[int, int]) -> None:
    """Give special tokens their new ids wherever a post-processor names them."""
    if not processor:
        return
    for part in processor.get("processors", ()):
        _renumber(part, new)
    if isinstance(processor.get("special_tokens"), dict):
        for token in processor["special_tokens"].values():
            token["ids"] = [new[old] for old in token["ids"]]
    for name in ("sep", "cls"):
        if name in processor:
            token, old = processor[name]
            processor[name] = [token, new[old]]


def cut_embeddings(model: "transformers.PreTrainedModel", kept: list[int]) -> None:
    """Keep the rows of an encoder's vocabulary that have these ids, in this order."""
    import torch

    old = model.get_input_embeddings()
    new = {number: place for place, number in enumerate(kept)}
    padding = new.get(old.padding_idx) if old.padding_idx is not None else None
    rows = old.weight.detach()[torch.tensor(kept)].clone()
    table = torch.nn.Embedding(len(kept), rows.shape[1], padding_idx=padding, _weight=rows)
    model.set_input_embeddings(table)
    model.config.vocab_size = len(kept)
    for name in IDS_IN_CONFIG:
        number = getattr(model.config, f"{name}_token_id", None)
        if isinstance(number, int):
            setattr(model.config, f"{name}_token_id", new.get(number))
