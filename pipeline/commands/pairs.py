"""Commands for language-pair manifests: check and new."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.several_values import SeveralValues
from pipeline.console import tell

app = typer.Typer(help="Check and draft language-pair manifests.", no_args_is_help=True)


@app.command()
def check(
    file: Annotated[str, typer.Argument(help="Path of a pair manifest, or its name.")],
    offline: Annotated[bool, typer.Option(help="Do not fetch: check the YAML alone.")] = False,
) -> None:
    """Validate a pair manifest, fetch its corpora and read every row; report all problems at once.

    Example: `sprachbund pair check data_manifests/pairs/ind-jav.yaml`
    """
    from pipeline.commands.checks import print_findings
    from pipeline.drafting.checking import check_pair

    print_findings(check_pair(file, fetch_corpora=not offline), "pair", file)


@app.command(cls=SeveralValues)
def new(
    name: Annotated[str, typer.Argument(help="HUB-LANGUAGE in ISO 639-3 codes, e.g. ind-mak.")],
    parallel: Annotated[
        list[str] | None,
        typer.Option(
            help="Two text files aligned by line, or tables that hold both languages (CSV, TSV, "
            "JSON lines, TMX), or Bibles (USFM, CES), to be split; packed files and "
            "FILE.zip:MEMBER are read, too."
        ),
    ] = None,
    train: Annotated[
        list[str] | None,
        typer.Option(help="Instead of --parallel, of bitext that comes split: its train files."),
    ] = None,
    dev: Annotated[list[str] | None, typer.Option(help="Its dev files.")] = None,
    test: Annotated[list[str] | None, typer.Option(help="Its test files.")] = None,
    mono: Annotated[
        list[str] | None, typer.Option(help="Monolingual text of the new language: files.")
    ] = None,
    columns: Annotated[
        str, typer.Option(help="Columns of tables, by language: ind=source,mak=target.")
    ] = "",
    mono_column: Annotated[
        str | None, typer.Option(help="Column of the text in monolingual tables.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; default data_manifests/pairs/NAME.yaml.")
    ] = None,
) -> None:
    """Write a pair manifest: filled in from your files, or a template with every field explained.

    Example: `sprachbund pair new ind-mak --parallel train.ind train.mak --mono mak.txt`
    """
    from pipeline.drafting.pairs import PairFiles, new_pair, parse_columns

    files = PairFiles(
        parallel=parallel or (),
        train=train or (),
        dev=dev or (),
        test=test or (),
        mono=mono or (),
        columns=parse_columns(columns),
        mono_column=mono_column,
    )
    drafted = new_pair(name, files, out=out)
    lines = [*drafted.found, *(f"check this: {doubt}" for doubt in drafted.doubts)]
    lines += [f"Written: {drafted.path}", f"Next: sprachbund pair check {drafted.path}"]
    tell("\n".join(lines), sys.stdout)
