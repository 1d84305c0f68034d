"""Commands for language-pair manifests: check and new."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Check and scaffold language-pair manifests.", no_args_is_help=True)


@app.command()
def check(
    file: Annotated[str, typer.Argument(help="Path of a pair manifest, or its name.")],
    offline: Annotated[bool, typer.Option(help="Do not fetch: check the YAML alone.")] = False,
) -> None:
    """Validate a pair manifest, fetch its corpora and read every row of them.

    Example: `sprachbund pair check data_manifests/pairs/ind-jav.yaml`
    """
    from pipeline.pair_files import check_pair

    for line in check_pair(file, fetch_corpora=not offline):
        sys.stdout.write(f"{line}\n")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="HUB-LANGUAGE in ISO 639-3 codes, e.g. ind-mak.")],
    parallel: Annotated[
        list[Path] | None,
        typer.Option(help="The two aligned text files, hub first; give the option twice."),
    ] = None,
    mono: Annotated[
        list[Path] | None, typer.Option(help="Monolingual text of the new language.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; default data_manifests/pairs/NAME.yaml.")
    ] = None,
) -> None:
    """Write a pair manifest: filled in from your files, or a template with every field explained.

    Example: `sprachbund pair new ind-mak --parallel t.ind --parallel t.mak --mono mak.txt`
    """
    from pipeline.pair_files import new_pair

    path = new_pair(name, parallel=parallel or [], mono=mono or [], out=out)
    sys.stdout.write(f"{path}\nNext: sprachbund pair check {path}\n")
