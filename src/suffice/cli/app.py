"""The command ``suffice``: its entry, and how it fails. The commands' options are in ``options``, what each does beside this."""

import gc
import os
import sys
import warnings
from typing import Annotated, NoReturn

import typer

from suffice.cli.options import COMMANDS

app = typer.Typer(
    name="suffice",
    help="Probability distributions, estimation and sampling: every answer with its own error bar.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from suffice import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def suffice(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Probability distributions, estimation and sampling: every answer with its own error bar."""


for command in COMMANDS:
    app.command()(command)


def fail(message: str, code: int) -> NoReturn:
    """One line on stderr, and the exit code: 1 where data or fit failed, 2 for wrong usage."""
    typer.echo(f"suffice: {message}", err=True)
    raise SystemExit(code)


def _warned(message: Warning | str, *_: object) -> None:
    """A warning as one line on stderr, without the line of code it comes from."""
    typer.echo(f"suffice: {message}", err=True)


def main() -> None:
    """Run a command; compiled code is kept in the user's cache folder, so that the second run starts fast."""
    from suffice.runtime.cache import jax_settings

    # by the environment, since JAX is imported only where a command needs it
    for name, value in jax_settings().items():
        os.environ.setdefault(name.upper(), str(value))
    warnings.showwarning = _warned
    gc.set_threshold(100_000, 50, 100)  # tracing makes many small objects, of which few are ever garbage
    try:
        app()
    except KeyboardInterrupt:
        print("suffice: interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        gc.freeze()  # no last collection through all that was compiled: the process is about to end
