"""The vocabulary of the `source:` part of a manifest.

Frozen dataclasses; pydantic validates them where YAML comes in, and only its discriminator, which
keeps error messages to the variant that `kind` names, shows here.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field

from tasks.sandbox import SandboxRecipe

Columns = dict[str, str]
"""Our field (a language code, `text` or `label`) to the name or 1-based number of a column.

In JSON and data sets a name may be a path into the record: `translation.en`, `sides.0`.
"""

Delimiter = Annotated[str, Field(min_length=1, max_length=1, pattern=r'[^"\r\n]')]

Tags = dict[str, str | tuple[str, ...]]
"""Our field to the language tag of its text in a translation memory, or to several."""

FARTHEST = 1000
"""Rows that a text may have slipped by: so many are held in memory."""

SplitName = Literal["train", "dev", "test"]


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file of a corpus, relative to the source's `base`.

    `member` names a file inside a zip or tar. `language` is the side an aligned plain-text file
    holds, `split` the part of a corpus that ships ready-made splits.
    """

    name: str
    sha256: str | None = None
    member: str | None = None
    language: str | None = None
    split: SplitName | None = None

    def __str__(self) -> str:
        return self.name if self.member is None else f"{self.name}:{self.member}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """CSV (commas, quoted) or TSV (tabs, not quoted), if `delimiter` and `quoted` say no other.

    Columns are named, or numbered when `header` is off. In a quoted table a field may stand in
    quotes, and quotes inside of it are doubled.
    """

    kind: Literal["csv", "tsv"]
    columns: Columns
    id: str | None = None
    header: bool = True
    delimiter: Delimiter | None = None
    quoted: bool | None = None

    @property
    def separator(self) -> str:
        """What stands between two fields."""
        return self.delimiter or {"csv": ",", "tsv": "\t"}[self.kind]

    @property
    def has_quotes(self) -> bool:
        """Whether a field may stand in quotes that are none of its text."""
        return self.kind == "csv" if self.quoted is None else self.quoted


@dataclass(frozen=True, kw_only=True)
class JsonLines:
    """One JSON object a line; a column may be a path into it."""

    kind: Literal["jsonl"]
    columns: Columns
    id: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlainText:
    """One sentence a line; one file per language, aligned by line, for a bitext."""

    kind: Literal["text"] = "text"


@dataclass(frozen=True, kw_only=True)
class TranslationMemory:
    """TMX; `columns` maps our language codes to its language tags, one or several each.

    A tag covers narrower ones, in any case: `en` is `en-US` and `EN-GB`, too. Ids are the `tuid`s;
    with `id: null`, and where a unit has none, units are numbered on through all files.
    """

    kind: Literal["tmx"]
    columns: Tags
    id: Literal["tuid"] | None = "tuid"


@dataclass(frozen=True, kw_only=True)
class BibleVerses:
    """Books of the Bible in USFM or CES XML; each file says its language, verses join them."""

    kind: Literal["verses"]


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files below one address (`https://...`) or local folder, all in one format."""

    kind: Literal["files"]
    base: str
    files: tuple[RemoteFile, ...]
    format: Annotated[
        Table | JsonLines | PlainText | TranslationMemory | BibleVerses,
        Field(discriminator="kind"),
    ]


@dataclass(frozen=True, kw_only=True)
class HubDataset:
    """A Hugging Face data set by name and revision, or a local folder that `datasets` can read."""

    kind: Literal["dataset"]
    name: str
    columns: Columns
    revision: str | None = None
    config: str | None = None
    id: str | None = None
    splits: dict[str, SplitName] | None = None


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """The embedded language family: one part of it, in one language."""

    kind: Literal["sandbox"]
    part: Literal["parallel", "monolingual", "labelled"]
    language: str
    recipe: SandboxRecipe = SandboxRecipe()


Source = Annotated[Files | HubDataset | Sandbox, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True)
class HashSplit:
    """Draw dev and test by the hash of the id, so that pairs with the same ids split nearly alike.

    `train` limits the training part (for slices); the rest is not used.
    """

    rule: Literal["hash"]
    dev: Annotated[int, Ge(0)] = 300
    test: Annotated[int, Ge(0)] = 350
    train: Annotated[int, Ge(1)] | None = None
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class ShippedSplit:
    """Take the parts as the corpus ships them (each file or row says its own)."""

    rule: Literal["shipped"]


Split = Annotated[HashSplit | ShippedSplit, Field(discriminator="rule")]


@dataclass(frozen=True, kw_only=True)
class ShareSplit:
    """Draw dev and test of a labelled set: these shares of its groups, by the hash of each.

    The group of an item is what its column `group` says, else its id, so that an item is in the
    same part in every language, and more items move none.
    """

    rule: Literal["shares"]
    dev: Annotated[float, Ge(0), Lt(1)] = 0.1
    test: Annotated[float, Gt(0), Lt(1)] = 0.2
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Slip:
    """Rows of a bitext, first and last, whose text in one language stands `by` rows later.

    Rows are counted from 1, through all files, without those that `keep` leaves out; below 0, `by`
    is earlier.
    """

    language: str
    rows: tuple[Annotated[int, Ge(1)], Annotated[int, Ge(1)]]
    by: Annotated[int, Ge(-FARTHEST), Le(FARTHEST)]

    def __contains__(self, row: int) -> bool:
        first, last = self.rows
        return first <= row <= last


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """One named body of text with its origin, licence and reference.

    `keep` is a glob on the source's own ids; `name` begins every sentence id made from it.
    `realign` puts rows of a bitext together whose sides have slipped apart.
    """

    name: str
    source: Source
    licence: str
    citation: str = ""
    homepage: str = ""
    keep: str = "*"
    realign: tuple[Slip, ...] = ()

    def without_credits(self) -> "Corpus":
        """Return the corpus without what changes no text: licence, citation, home page."""
        return replace(self, licence="", citation="", homepage="")
