"""``suffice perplexity`` and ``suffice generate``: n-gram models of text files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from suffice.cli.app import fail
from suffice.cli.output import console, json_ready, table, write_json
from suffice.cli.places import check_places, place

Unit = Literal["word", "char"]


@dataclass(frozen=True)
class Model:
    """Where an n-gram model comes from."""

    train: Path | None
    arpa: Path | None
    order: int | None
    smoothing: str | None
    unit: Unit


@dataclass(frozen=True)
class PerplexityRequest:
    """What the user asked of ``suffice perplexity``."""

    model: Model
    test: Path
    prune: float | None
    arpa_out: Path | None
    json_out: Path | None
    quiet: bool


@dataclass(frozen=True)
class GenerateRequest:
    """What the user asked of ``suffice generate``."""

    model: Model
    prompt: str
    lines: int
    length: int
    filters: dict[str, Any]
    beams: int | None
    rng: int | None
    quiet: bool


def perplexity(request: PerplexityRequest) -> None:
    """Train, score, print, and write what was asked for."""
    read = [p for p in (request.model.train, request.model.arpa, request.test) if p is not None]
    check_places(read, [request.arpa_out, request.json_out])
    model = _model(request.model, request.quiet)
    if request.prune is not None:
        model = model.pruned(request.prune)
    score = _read(request.test, lambda: model.score(request.test, quiet=request.quiet))
    told = _told(model, score) | {"prune": request.prune}
    if not request.quiet:
        _print(request, told)
    if request.arpa_out is not None:
        with place(request.arpa_out, "written"):
            model.write_arpa(request.arpa_out)
    if request.json_out is not None:
        with place(request.json_out, "written"):
            write_json(request.json_out, json_ready({"test": str(request.test), **told}))


def generate(request: GenerateRequest) -> None:
    """Train and print lines that the model makes."""
    import numpy as np

    import suffice as sf
    from suffice.models.language.text import END, START

    if request.beams:
        given = [name for name, value in (request.filters | {"rng": request.rng}).items() if value is not None]
        if given:
            fail(f"--{given[0].replace('_', '-')} is for lines that are drawn, not for those of --beams", 2)
    try:
        filters = sf.standard_filters(**request.filters)
    except ValueError as error:
        fail(str(error), 2)
    model = _model(request.model, request.quiet)
    characters = model.ngrams.unit == "char"
    prompt = list(request.prompt) if characters else request.prompt.split()
    unknown = [w for w in prompt if not model.vocabulary.ids([w])[0]]
    if unknown:
        fail(f"--prompt: the model does not know {unknown[0]!r}", 2)
    marks = [] if characters else [w for w in prompt if w in (START, END)]
    if marks:
        fail(f"--prompt: {marks[0]} is kept for the ends of lines", 2)
    start, state = model.start([prompt] * (1 if request.beams else request.lines))
    end = int(model.vocabulary.ids(["</s>"])[0])
    if request.beams:
        beams = max(request.beams, request.lines)
        out = sf.beam_search(model.step, start, state, request.length, beams=beams, end=end)
        rows = np.asarray(out.tokens)[0, : request.lines][np.isfinite(np.asarray(out.log_prob)[0, : request.lines])]
    else:
        rng = request.rng or 0
        out = sf.generate(model.step, start, state, request.length, rng=rng, filters=filters, end=end)
        rows = np.asarray(out.tokens)
    for row in rows:
        words = prompt + model.vocabulary.text(row[(row >= 0) & (row != end)])
        print(("" if characters else " ").join(words))


def _model(asked: Model, quiet: bool) -> Any:
    import suffice as sf
    from suffice.models.language.smoothing import spelled

    if asked.arpa is not None and asked.train is None:
        path = asked.arpa
        for name, value in (("order", asked.order), ("smoothing", asked.smoothing)):
            if value is not None:
                fail(f"--{name} is for --train: a model from a file has its own", 2)
        return _read(path, lambda: sf.read_arpa(path, asked.unit))
    if asked.train is None or asked.arpa is not None:
        fail("give either --train, a text, or --model, an ARPA file", 2)
    text = asked.train
    try:
        smoothing = spelled.smoothing(asked.smoothing or "kneser-ney")
    except ValueError as error:
        fail(f"--smoothing: {error}", 2)
    return _read(text, lambda: sf.ngram(text, asked.order, smoothing, asked.unit, quiet=quiet))


def _read(path: Path, work: Callable[[], Any]) -> Any:
    from suffice.runtime.errors import DataError

    try:
        with place(path, "read"):
            return work()
    except DataError as error:
        message = str(error)
        fail(message if str(path) in message else f"{path}: {message}", 1)


def _told(model: Any, score: Any) -> dict[str, Any]:
    """The figures as plain values."""
    kinds = ("perplexity", "cross_entropy", "bits_per_token", "bits_per_byte")
    estimates = {name: getattr(score, name) for name in kinds}
    return {
        **{name: float(e.value) for name, e in estimates.items()},
        **{f"{name}_standard_error": float(e.standard_error) for name, e in estimates.items()},
        "log_probability": float(score.log_prob.sum()), "documents": len(score.log_prob),
        "tokens": int(score.tokens.sum()), "unknown": int(score.unknown.sum()), "bytes": int(score.bytes.sum()),
        "order": model.order, "unit": model.ngrams.unit, "smoothing": None if model.smoothing is None else str(model.smoothing),
        "vocabulary": len(model.vocabulary), "ngrams": [len(level) for level in model.ngrams.levels],
    }  # fmt: skip


def _print(request: PerplexityRequest, told: dict[str, Any]) -> None:
    from suffice.report.tables import counted, number

    out = console()
    made = told["smoothing"] or f"from {request.model.arpa}"
    out.print(
        f"{made}, order {told['order']}: {counted(told['vocabulary'], 'token')} in the vocabulary, "
        f"{counted(sum(told['ngrams']), 'n-gram')}" + ("" if request.prune is None else " after pruning"),
        soft_wrap=True,
    )
    unit = "character" if told["unit"] == "char" else "word"
    out.print(
        f"{request.test}: {counted(told['documents'], 'line')}, {counted(told['tokens'], 'token')} ({unit}s and ends of "
        f"lines), of which {number(told['unknown'])} unknown",
        soft_wrap=True,
    )
    heads = ("", "Value", "Standard error")
    names = {
        "perplexity": "Perplexity", "cross_entropy": "Nats per token", "bits_per_token": "Bits per token",
        "bits_per_byte": "Bits per byte",
    }  # fmt: skip
    rows = [(name, number(told[key]), number(told[f"{key}_standard_error"], 2)) for key, name in names.items()]
    out.print(table(heads, rows, words=(0,)))
    if told["unknown"]:
        out.print("Which unknown word it is was not predicted: bits per byte count it as <unk>.", soft_wrap=True)
    out.print("Standard errors take lines as independent.", soft_wrap=True)
