"""Which languages published models have seen, from their own lists as data."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal, Protocol

from pydantic import Field

from pipeline.specs.encoders import EncoderManifest
from pipeline.specs.languages import LanguageCode
from pipeline.specs.loading import MANIFESTS, load_manifest
from pipeline.specs.manifests import Manifest, Name

XLM_R = "xlm-r"
FAMILIES = ("mbert", XLM_R, "mbart-50", "m2m-100", "nllb-200")
IDENTIFIER = "py3langid"
SCRIPTS_FROM = "nllb-200"


class LanguageList(Manifest):
    """The languages a published model knows: our code to the name or code the model has for it."""

    name: Name
    title: str
    kind: Literal["encoder", "translator", "identifier"]
    source: str
    homepage: str
    languages: Annotated[dict[LanguageCode, str], Field(min_length=1)]


class Listing(Protocol):
    """Anything that lists languages by code."""

    @property
    def languages(self) -> Collection[str]:
        """The codes."""
        ...


class Macrolanguages(Manifest):
    """Codes of groups of languages, each with the member that is usually meant by it."""

    name: Name
    source: str
    usual_member: dict[LanguageCode, LanguageCode]


@dataclass(frozen=True)
class Coverage:
    """Whether a list names a language, and the code under which it does so."""

    known: Literal["yes", "perhaps", "no"]
    listed_as: str | None = None


NOT_COVERED = Coverage("no")


@cache
def language_list(name: str) -> LanguageList:
    """Return the list of a model in `data_manifests/models/`."""
    return load_manifest(MANIFESTS / "models" / f"{name}.yaml", LanguageList)


@cache
def macrolanguages() -> Macrolanguages:
    """Return the table of macrolanguages."""
    return load_manifest(MANIFESTS / "languages" / "macrolanguages.yaml", Macrolanguages)


def encoder_languages(encoder: EncoderManifest) -> Listing:
    """Return the list of what a pretrained encoder has seen: its own, or the one it names."""
    return language_list(encoder.languages_of) if encoder.languages_of else encoder


def coverage(code: str, listed: Listing) -> Coverage:
    """Say whether a list names a language: under its code, or that of its macrolanguage.

    It is `perhaps` where the code asks for a script and the list does not tell scripts apart.
    """
    language, _, script = code.partition("_")
    for name in _names(language, macrolanguages().usual_member):
        scripts = _scripts(name, listed)
        if script in scripts or (scripts and not script):
            return Coverage("yes", name)
        if "" in scripts:
            return Coverage("perhaps", name)
    return NOT_COVERED


def usual_scripts(code: str) -> list[str]:
    """Return the scripts a language is written in, as the list that tells scripts apart has it."""
    language, _, script = code.partition("_")
    if script:
        return [script]
    listed = language_list(SCRIPTS_FROM)
    names = _names(language, macrolanguages().usual_member)
    return next((sorted(found) for name in names if (found := _scripts(name, listed))), [])


def _names(language: str, usual_member: Mapping[str, str]) -> list[str]:
    """Return a language's own code, then those that usually mean the same language."""
    above = [macro for macro, member in usual_member.items() if member == language]
    return [language, *above, *([usual_member[language]] if language in usual_member else [])]


def _scripts(language: str, listed: Listing) -> set[str]:
    """Return the scripts in which a list names a language; an empty one where it does not say."""
    codes = (code.partition("_") for code in listed.languages)
    return {script for base, _, script in codes if base == language}
