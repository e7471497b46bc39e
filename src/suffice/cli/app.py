"""The commands and their options. Nothing heavy is imported before a command runs, so that ``--help`` is instant."""

import gc
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

app = typer.Typer(
    name="suffice",
    help="Probability distributions, estimation and sampling: every answer with its own error bar.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Criterion(StrEnum):
    aic = "aic"
    aicc = "aicc"
    bic = "bic"


class MixtureCriterion(StrEnum):
    bic = "bic"
    icl = "icl"
    aic = "aic"
    cv = "cv"


class Kind(StrEnum):
    auto = "auto"
    continuous = "continuous"
    discrete = "discrete"


class Interval(StrEnum):
    wald = "wald"
    profile = "profile"
    score = "score"
    exact = "exact"
    wilson = "wilson"
    jeffreys = "jeffreys"
    bootstrap = "bootstrap"
    percentile = "percentile"
    parametric = "parametric"


class Deficient(StrEnum):
    error = "error"
    pivot = "pivot"
    minimum_norm = "minimum_norm"


class Missing(StrEnum):
    error = "error"
    drop = "drop"


class TokenUnit(StrEnum):
    word = "word"
    char = "char"


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


@app.command()
def fit(
    file: Annotated[Path, typer.Argument(help="CSV, TSV (also .gz), Parquet or Arrow file.", show_default=False)],
    column: Annotated[
        list[str] | None,
        typer.Option("--column", "-c", help="Column to fit; repeat for several. Default: the only one."),
    ] = None,
    families: Annotated[
        str | None, typer.Option(help="Families to try, separated by commas. Default: the common ones.")
    ] = None,
    criterion: Annotated[Criterion, typer.Option(help="What the ranking orders by.")] = Criterion.aic,
    kind: Annotated[
        Kind, typer.Option(help="auto: integers mean discrete families and rounded continuous ones in one ranking.")
    ] = Kind.auto,
    weights: Annotated[str | None, typer.Option(help="Column of frequencies: weight w counts as w rows.")] = None,
    left: Annotated[
        str | None, typer.Option(help="Column of left ends of intervals; empty: left-censored. With --right.")
    ] = None,
    right: Annotated[
        str | None, typer.Option(help="Column of right ends of intervals; empty: right-censored. With --left.")
    ] = None,
    lower: Annotated[
        str | None, typer.Option(help="Truncation: column or number above which values had to lie to be seen.")
    ] = None,
    upper: Annotated[
        str | None, typer.Option(help="Truncation: column or number up to which values had to lie to be seen.")
    ] = None,
    counts: Annotated[str | None, typer.Option(help="Column of whole frequencies, of tabulated data.")] = None,
    by: Annotated[str | None, typer.Option(help="Column of labels: a fit of the best family for each group.")] = None,
    interval: Annotated[
        Interval | None, typer.Option(help="Confidence intervals of the best three families by this method.")
    ] = None,
    level: Annotated[float, typer.Option(help="Their coverage, between 0 and 1.")] = 0.95,
    missing: Annotated[Missing, typer.Option(help="What to do with missing values.")] = Missing.error,
    gof: Annotated[bool, typer.Option("--gof", help="Test the best three by parametric bootstrap.")] = False,
    rng: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of the bootstrap.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")] = None,
    report_out: Annotated[
        Path | None,
        typer.Option("--report", help="Write a page with figures (HTML); tests the best three by bootstrap, as --gof."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but errors, and the timing where asked for.")
    ] = False,
    timing: Annotated[bool, typer.Option("--timing", help="Print where the time went.")] = False,
) -> None:
    """Fit many distributions to a column of numbers and rank them by likelihood.

    Example: suffice fit examples/old_faithful.csv --gof --report page.html
    """
    from suffice.cli.fit import Request, run

    run(
        Request(
            file, tuple(column or ()), None if families is None else _names(families), criterion.value, kind.value,
            weights, left, right, _number_or_name(lower), _number_or_name(upper), counts, by,
            None if interval is None else interval.value, level, missing.value, gof, rng, json_out, report_out, quiet, timing,
        )
    )  # fmt: skip


def _number_or_name(text: str | None) -> float | str | None:
    """A truncation limit: a number, or the name of a column."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


@app.command()
def update(
    file: Annotated[Path, typer.Argument(help="CSV, TSV (also .gz), Parquet or Arrow file.", show_default=False)],
    prior: Annotated[
        str,
        typer.Option(
            help="Gamma(2, 1), the same as JSON, a file that holds either, or a name such as jeffreys.",
            show_default=False,
        ),
    ],
    likelihood: Annotated[
        str, typer.Option(help="Family of the data with what is known: poisson, Normal(scale=2).", show_default=False)
    ],
    column: Annotated[str | None, typer.Option("--column", "-c", help="Column of data. Default: the only one.")] = None,
    weights: Annotated[str | None, typer.Option(help="Column of frequencies: weight w counts as w rows.")] = None,
    level: Annotated[float, typer.Option(help="Probability of the intervals, between 0 and 1.")] = 0.95,
    missing: Annotated[Missing, typer.Option(help="What to do with missing values.")] = Missing.error,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")] = None,
    report_out: Annotated[
        Path | None, typer.Option("--report", help="Write a page with prior, likelihood and posterior drawn (HTML).")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Update a prior by a column of data: posterior, predictive distribution and evidence in closed form.

    Example: suffice update calls.csv --prior "Gamma(2, 1)" --likelihood poisson --report page.html
    """
    from suffice.cli.update import Request, run

    run(Request(file, prior, likelihood, column, weights, level, missing.value, json_out, report_out, quiet))


@app.command()
def sample(
    model: Annotated[
        str,
        typer.Argument(
            metavar="FILE.py:FUNCTION",
            help="A function of a point that returns its log-density; domains, or start, beside it say what a point is.",
            show_default=False,
        ),
    ],
    kernel: Annotated[str, typer.Option(help="nuts, hmc, mala, barker, random-walk, slice, …")] = "nuts",
    chains: Annotated[int, typer.Option(min=1, help="Number of chains.")] = 4,
    warmup: Annotated[int, typer.Option(min=0, help="Steps of each in which settings are tuned.")] = 1000,
    draws: Annotated[int, typer.Option(min=1, help="Draws of each that are kept.")] = 1000,
    rng: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Zarr store to which draws stream as they come.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that the store holds.")] = False,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the summary as JSON.")] = None,
    report_out: Annotated[
        Path | None, typer.Option("--report", help="Write a page with the chains drawn (HTML).")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Draw from a density that a Python file defines, and tell how far the draws can be trusted.

    Example: suffice sample examples/eight_schools.py:log_density --out build/run.zarr --report build/schools.html
    """
    from suffice.cli.sample import Request, run

    run(Request(model, kernel, chains, warmup, draws, rng, out, resume, json_out, report_out, quiet))


@app.command()
def regress(
    file: Annotated[Path, typer.Argument(help="CSV, TSV (also .gz), Parquet or Arrow file.", show_default=False)],
    target: Annotated[str, typer.Option("--target", "-t", help="Column to explain.", show_default=False)],
    inputs: Annotated[
        str | None, typer.Option(help="Columns that explain it, separated by commas. Default: all other numeric ones.")
    ] = None,
    basis: Annotated[
        str,
        typer.Option(
            help="Functions of each input: linear, polynomial:3, chebyshev:4, legendre:4, gaussian:9, sigmoid:9, "
            "fourier:2:12, piecewise:1,2, bspline:1,2, natural:1,2; of labels onehot:TOWN, beside linear:SIZE,AGE; sums by +."
        ),
    ] = "linear",
    prior: Annotated[
        str, typer.Option(help="none: least squares; ridge:PENALTY; evidence: the penalty of largest evidence.")
    ] = "none",
    weights: Annotated[str | None, typer.Option(help="Column of frequencies: weight w counts as w rows.")] = None,
    intercept: Annotated[bool, typer.Option(help="Whether the constant comes first.")] = True,
    rank_deficient: Annotated[
        Deficient, typer.Option(help="Columns that depend on others: say so, leave them out, or take smallest weights.")
    ] = Deficient.error,
    level: Annotated[float, typer.Option(help="Coverage of the intervals, between 0 and 1.")] = 0.95,
    missing: Annotated[Missing, typer.Option(help="What to do with rows that have missing values.")] = Missing.error,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")] = None,
    report_out: Annotated[
        Path | None,
        typer.Option("--report", help="Write a page with the fit, its residuals and leverage drawn (HTML)."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Regress a column on others: weights with standard errors, to the last digit, from files of any size.

    Example: suffice regress examples/iris.csv --target petal_width --inputs petal_length --basis polynomial:2 --report page.html
    """
    from suffice.cli.regress import Request, run

    run(
        Request(
            file, target, _names(inputs or ""), basis, prior, weights, intercept, rank_deficient.value, level,
            missing.value, json_out, report_out, quiet,
        )
    )  # fmt: skip


@app.command()
def mixture(
    file: Annotated[Path, typer.Argument(help="CSV, TSV (also .gz), Parquet or Arrow file.", show_default=False)],
    columns: Annotated[
        str | None, typer.Option("--columns", "-c", help="Columns, separated by commas. Default: all numeric ones.")
    ] = None,
    components: Annotated[str, typer.Option("--components", "-k", help="How many: 3, 1:9 or 1,2,4.")] = "1:9",
    family: Annotated[
        str, typer.Option(help="Family of the components; several, by commas, one for each column.")
    ] = "normal",
    covariance: Annotated[
        str,
        typer.Option(
            help="full, tied, diag, spherical, three letters such as VEV, several by commas, or auto for the common ones."
        ),
    ] = "full",
    criterion: Annotated[MixtureCriterion, typer.Option(help="What chooses among several.")] = MixtureCriterion.bic,
    weights: Annotated[str | None, typer.Option(help="Column of frequencies: weight w counts as w rows.")] = None,
    prior: Annotated[
        float, typer.Option(min=0.0, help="Pseudo-observations that keep a component from collapsing.")
    ] = 0.0,
    starts: Annotated[int, typer.Option(min=1, help="Starts of each climb.")] = 10,
    missing: Annotated[Missing, typer.Option(help="What to do with rows that have missing values.")] = Missing.error,
    rng: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of the starts.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")] = None,
    report_out: Annotated[
        Path | None, typer.Option("--report", help="Write a page with the components drawn (HTML).")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Fit mixtures to columns of a file: components with standard errors, and how many there are.

    Example: suffice mixture examples/old_faithful.csv --components 1:4 --covariance auto --report page.html
    """
    from suffice.cli.mixture import Request, run

    run(
        Request(
            file, _names(columns or ""), components, _names(family), _names(covariance), criterion.value, weights,
            prior, starts, missing.value, rng, json_out, report_out, quiet,
        )
    )  # fmt: skip


@app.command()
def compare(
    first: Annotated[
        Path, typer.Argument(metavar="A", help="CSV, TSV (also .gz), Parquet or Arrow file.", show_default=False)
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="The file to compare it with.", show_default=False)],
    column: Annotated[
        str | None, typer.Option("--column", "-c", help="Column of both files. Default: the only one.")
    ] = None,
    family: Annotated[
        str | None, typer.Option(help="Family in which the parameters of both are compared, too.")
    ] = None,
    missing: Annotated[Missing, typer.Option(help="What to do with missing values.")] = Missing.error,
    replicates: Annotated[int, typer.Option(min=1, help="Permutations of each test.")] = 999,
    rng: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of the permutations.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Test whether a column of two files comes from one distribution.

    Example: suffice compare before.csv after.csv --column seconds --family lognormal
    """
    from suffice.cli.compare import Request, run

    run(Request((first, second), column, family, missing.value, replicates, rng, json_out, quiet))


@app.command()
def simulate(
    family: Annotated[
        str, typer.Argument(help="Family that samples come from and are fitted with.", show_default=False)
    ],
    parameters: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE…", help="Its parameters, the truth.", show_default=False)
    ],
    sizes: Annotated[str, typer.Option(help="Sample sizes, separated by commas.")] = "10,100,1000",
    replicates: Annotated[int, typer.Option(min=2, help="Samples of each size.")] = 1000,
    interval: Annotated[
        str | None,
        typer.Option(
            help="Methods whose coverage is wanted, separated by commas: those of fit --interval, and wald-natural, "
            "wald-expected."
        ),
    ] = None,
    level: Annotated[float, typer.Option(help="Coverage they aim at, between 0 and 1.")] = 0.95,
    hold: Annotated[str | None, typer.Option(help="Parameters that are known, separated by commas.")] = None,
    rng: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of the samples.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Fit many samples of a known distribution: bias, variance and coverage, each with its error.

    Example: suffice simulate weibull concentration=1.5 scale=2 --sizes 10,30,200 --interval wald,profile
    """
    from suffice.cli.simulate import Request, run

    run(
        Request(
            family, tuple(parameters), sizes, replicates, _names(interval or ""), level, _names(hold or ""), rng,
            json_out, quiet,
        )
    )  # fmt: skip


@app.command()
def divergence(
    first: Annotated[
        Path,
        typer.Argument(
            metavar="A",
            help='JSON file of a law: {"family": "Normal", "loc": 0, "scale": 1}, or what fit --json wrote.',
            show_default=False,
        ),
    ],
    second: Annotated[Path, typer.Argument(metavar="B", help="The law to compare it with.", show_default=False)],
    draws: Annotated[int, typer.Option(min=100, help="Draws from each, for laws of vectors.")] = 20_000,
    rng: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of the draws.")] = 0,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Tell how far two distributions are from each other.

    Example: suffice divergence a.json b.json
    """
    from suffice.cli.divergence import Request, run

    run(Request((first, second), draws, rng, json_out, quiet))


_TRAIN = Annotated[Path | None, typer.Option("--train", help="Text to learn from, a document a line (also .gz).")]
_MODEL = Annotated[Path | None, typer.Option("--model", help="ARPA file of a model, in place of --train.")]
_ORDER = Annotated[int, typer.Option(min=1, help="A token depends on ORDER − 1 before it.")]
_SMOOTHING = Annotated[
    str,
    typer.Option(
        help="mle, additive:0.1, dirichlet:10, jelinek-mercer, katz, absolute, kneser-ney, kneser-ney-one, pitman-yor."
    ),
]
_UNIT = Annotated[TokenUnit, typer.Option(help="What a token is: a word between blanks, or a character.")]


@app.command()
def perplexity(
    test: Annotated[Path, typer.Option("--test", help="Text to predict, a document a line.", show_default=False)],
    train: _TRAIN = None,
    model: _MODEL = None,
    order: _ORDER = 3,
    smoothing: _SMOOTHING = "kneser-ney",
    unit: _UNIT = TokenUnit.word,
    arpa_out: Annotated[Path | None, typer.Option("--arpa", help="Write the model as an ARPA file.")] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Tell how well an n-gram model of one text predicts another: perplexity, bits per token and byte, with errors.

    Example: suffice perplexity --train examples/alice_train.txt --test examples/alice_test.txt --order 5
    """
    from suffice.cli.language import Model, PerplexityRequest
    from suffice.cli.language import perplexity as run

    run(PerplexityRequest(Model(train, model, order, smoothing, unit.value), test, arpa_out, json_out, quiet))


@app.command()
def generate(
    train: _TRAIN = None,
    model: _MODEL = None,
    order: _ORDER = 3,
    smoothing: _SMOOTHING = "kneser-ney",
    unit: _UNIT = TokenUnit.word,
    prompt: Annotated[str, typer.Option(help="What each line begins with.")] = "",
    lines: Annotated[int, typer.Option(min=1, help="Number of lines.")] = 5,
    length: Annotated[int, typer.Option(min=1, help="Most tokens of a line.")] = 50,
    temperature: Annotated[float | None, typer.Option(help="Below 1 bolder, 0: the most probable token.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Only the K most probable tokens.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Only the most probable that hold P together.")] = None,
    min_p: Annotated[float | None, typer.Option(help="Only those P times as probable as the most probable.")] = None,
    typical_p: Annotated[float | None, typer.Option(help="Only those nearest the entropy that hold P.")] = None,
    repetition_penalty: Annotated[float | None, typer.Option(help="Above 1: repeat less.")] = None,
    beams: Annotated[int | None, typer.Option(min=1, help="The most probable lines by beam search, not drawn.")] = None,
    rng: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Write lines as an n-gram model of a text would go on.

    Example: suffice generate --train examples/alice_train.txt --prompt "the queen" --top-p 0.9
    """
    from suffice.cli.language import GenerateRequest, Model
    from suffice.cli.language import generate as run

    filters = {
        "repetition_penalty": repetition_penalty, "temperature": temperature, "top_k": top_k, "top_p": top_p,
        "min_p": min_p, "typical_p": typical_p,
    }  # fmt: skip
    run(
        GenerateRequest(
            Model(train, model, order, smoothing, unit.value), prompt, lines, length, filters, beams, rng, quiet
        )
    )


def _names(listed: str) -> tuple[str, ...]:
    """Names between commas, without blanks."""
    return tuple(filter(None, map(str.strip, listed.split(","))))


def fail(message: str, code: int) -> NoReturn:
    """One line on stderr, and the exit code: 1 where data or fit failed, 2 for wrong usage."""
    typer.echo(f"suffice: {message}", err=True)
    raise SystemExit(code)


def main() -> None:
    """Run the command; compiled code is kept in the user's cache folder, so that the second run starts fast."""
    from suffice.runtime.cache import folder

    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder() / "jax"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
    gc.set_threshold(100_000, 50, 100)  # tracing makes many small objects, of which few are ever garbage
    try:
        app()
    except KeyboardInterrupt:
        print("suffice: interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    finally:
        gc.freeze()  # no last collection through all that was compiled: the process is about to end
