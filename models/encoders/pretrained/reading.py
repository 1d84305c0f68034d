"""Turn texts into what a published encoder reads."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from models.encoders.pretrained.folders import (
    HUGGINGFACE,
    EncoderSettings,
    read_published_tokenizer,
)


class TextReader:
    """Turns texts into ids of pieces, cut and with the encoder's marks."""

    def __init__(self, folder: Path, settings: EncoderSettings) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # stages run side by side
        self.folder = folder
        self.prefix = settings.prefix
        self._tokenizer = read_published_tokenizer(folder)
        self._tokenizer.enable_truncation(settings.max_pieces)
        self._tokenizer.no_padding()

    @cached_property
    def pad(self) -> int:
        """The id that fills up a batch."""
        from transformers import AutoConfig

        config: Any = AutoConfig.from_pretrained(self.folder / HUGGINGFACE, local_files_only=True)
        return config.pad_token_id or 0

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text; there is at least one."""
        found = self._tokenizer.encode_batch_fast([self.prefix + text for text in texts])
        return [text.ids or [self.pad] for text in found]

    def spans(self, texts: Sequence[str]) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Return the ids of each text, and the characters each piece covers: none for marks."""
        shift = len(self.prefix)
        found = self._tokenizer.encode_batch([self.prefix + text for text in texts])
        return [
            (
                text.ids or [self.pad],
                [(max(0, start - shift), max(0, end - shift)) for start, end in text.offsets],
            )
            for text in found
        ]
