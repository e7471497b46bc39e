"""The options of ``suffice perplexity`` and ``suffice generate``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from suffice.cli.options.shared import LARGEST_SEED, Json, Quiet


class TokenUnit(StrEnum):
    word = "word"
    char = "char"


_TRAIN = Annotated[Path | None, typer.Option("--train", help="Text to learn from, a document a line (also .gz).")]
_MODEL = Annotated[Path | None, typer.Option("--model", help="ARPA file of a model, in place of --train.")]
_ORDER = Annotated[int | None, typer.Option(min=1, help="A token depends on ORDER − 1 before it.", show_default="3")]
_SMOOTHING = Annotated[
    str | None,
    typer.Option(
        help="mle, additive:0.1, dirichlet:10, jelinek-mercer, katz, absolute, kneser-ney, kneser-ney-one, pitman-yor.",
        show_default="kneser-ney",
    ),
]
_UNIT = Annotated[TokenUnit, typer.Option(help="What a token is: a word between blanks, or a character.")]


def perplexity(
    test: Annotated[Path, typer.Option("--test", help="Text to predict, a document a line.", show_default=False)],
    train: _TRAIN = None,
    model: _MODEL = None,
    order: _ORDER = None,
    smoothing: _SMOOTHING = None,
    unit: _UNIT = TokenUnit.word,
    prune: Annotated[
        float | None, typer.Option(min=0.0, help="Leave out n-grams that lose fewer nats per token, as 1e-6.")
    ] = None,
    arpa_out: Annotated[Path | None, typer.Option("--arpa", help="Write the model as an ARPA file.")] = None,
    json_out: Json = None,
    quiet: Quiet = False,
) -> None:
    """Tell how well an n-gram model of one text predicts another: perplexity, bits per token and byte, with errors.

    Example: suffice perplexity --train examples/alice_train.txt --test examples/alice_test.txt --order 5
    """
    from suffice.cli.language import Model, PerplexityRequest
    from suffice.cli.language import perplexity as run

    run(PerplexityRequest(Model(train, model, order, smoothing, unit.value), test, prune, arpa_out, json_out, quiet))


def generate(
    train: _TRAIN = None,
    model: _MODEL = None,
    order: _ORDER = None,
    smoothing: _SMOOTHING = None,
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
    rng: Annotated[int | None, typer.Option(min=0, max=LARGEST_SEED, help="Seed.", show_default="0")] = None,
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
