"""What the commands print and write."""

import json
import math
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any

from suffice.runtime.files import write_whole


def console() -> Any:
    """Where tables go: names in them are the user's, so nothing is read as markup; wide where nobody looks on."""
    from rich.console import Console

    plain: Any = {"highlight": False, "markup": False, "emoji": False}
    terminal = Console(**plain)
    return terminal if terminal.is_terminal else Console(**plain, width=160)


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], words: Container[int], whole: Container[int] = ()
) -> Any:
    """A table whose columns ``words`` read from the left, those of numbers from the right; ``whole`` never wrap."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for i, header in enumerate(headers):
        made.add_column(header, justify="left" if i in words else "right", no_wrap=i in whole)
    for row in rows:
        made.add_row(*row)
    return made


def print_ranking(ranking: Any, tests: Any, seconds: float) -> None:
    """The ranking as a table, with what the reader must know to trust it."""
    from suffice.report.tables import counted, mark, number, ranking_rows

    out = console()
    told = ranking_rows(ranking, tests)
    rows = [[cell.replace("\n", ", ") for cell in row] for row in told.rows]
    s = ranking.summary
    kinds = getattr(ranking.observations, "kinds", None)  # of censored data, whose mean is not known
    span = f"from {number(s.minimum)} to {number(s.maximum)}, mean {number(s.mean)}"
    if kinds is not None:
        from suffice.streams.data import told_kinds

        span = f"({told_kinds(kinds)}) from {number(s.minimum)} to {number(s.maximum)}"
    out.print(f"{ranking.name}: {counted(s.count, 'observation')} {span}", soft_wrap=True)
    if s.missing:
        out.print(f"{counted(s.missing, 'missing value')} left out")
    out.print(table(told.headers, rows, told.words, whole=(1,)))
    for note in (*(f"{mark(i)} {text}" for i, text in enumerate(told.notes)), *notes(ranking, tests)):
        out.print(note, soft_wrap=True)
    out.print(f"{seconds:.1f} s", style="dim")


def print_intervals(ranking: Any, intervals: Any, method: str, level: float) -> None:
    """Confidence intervals of families, parameter by parameter."""
    from suffice.report.tables import number

    print(f"{100 * level:g} % confidence intervals by {method}:")
    fits = {c.name: c.fit for c in ranking.candidates}
    for family, ends in intervals.items():
        told = [f"{name} {number(low)} to {number(high)}" for name, (low, high) in ends.items()]
        print(f"  {fits[family].family.name}: {', '.join(told)}")


def notes(ranking: Any, tests: Any) -> list[str]:
    """Remarks under the table."""
    lines = []
    if ranking.rounding:
        lines.append("Integers: continuous families are fitted to and scored by the probability of x ± ½.")
    lines += [f"{i.name} is impossible: {i.reason}." for i in ranking.impossible]
    lines += map(_test, tests)
    if ranking.passes > 1:
        lines.append(f"The file was read {ranking.passes} times.")
    return lines


def _test(t: Any) -> str:
    from suffice.report.tables import counted, number

    if t.reason:
        return f"The fit of {t.name} was not tested: {t.reason}."
    statistic = (
        number(t.statistic, 4) if math.isfinite(t.statistic) else "infinite as values lie where it has no probability"
    )
    sample = f"; on a random sample of {counted(t.count, 'value')}" if t.sampled else ""
    return (
        f"Test of fit of {t.name}: {t.test}, statistic {statistic}, p = {t.p_value:.3g} "
        f"({number(t.replicates)} parametric bootstrap samples, refitted{sample})."
    )


def json_ready(value: Any) -> Any:
    """The same with None for numbers that JSON does not know."""
    if isinstance(value, dict):
        return {key: json_ready(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(path: Path, content: Any) -> None:
    """Write the file whole or not at all."""
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
