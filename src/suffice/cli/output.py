"""What the commands print and write."""

import json
import math
from pathlib import Path
from typing import Any

from suffice.runtime.files import write_whole


def print_ranking(ranking: Any, tests: Any, seconds: float) -> None:
    """The ranking as a table, with what the reader must know to trust it."""
    from rich.console import Console
    from rich.table import Table

    from suffice.report.tables import counted, mark, number, ranking_rows

    plain: Any = {"highlight": False, "markup": False, "emoji": False}  # names of columns are the user's
    console = Console(**plain)
    if not console.is_terminal:
        console = Console(**plain, width=160)
    table = Table(box=None, pad_edge=False, header_style="bold")
    told = ranking_rows(ranking, tests)
    for i, header in enumerate(told.headers):
        table.add_column(header, justify="left" if i in told.words else "right", no_wrap=i == 1)
    for row in told.rows:
        table.add_row(*(cell.replace("\n", ", ") for cell in row))
    s = ranking.summary
    kinds = getattr(ranking.observations, "kinds", None)  # of censored data, whose mean is not known
    span = f"from {number(s.minimum)} to {number(s.maximum)}, mean {number(s.mean)}"
    if kinds is not None:
        from suffice.streams.data import told_kinds

        span = f"({told_kinds(kinds)}) from {number(s.minimum)} to {number(s.maximum)}"
    console.print(f"{ranking.name}: {counted(s.count, 'observation')} {span}", soft_wrap=True)
    if s.missing:
        console.print(f"{counted(s.missing, 'missing value')} left out")
    console.print(table)
    for note in (*(f"{mark(i)} {text}" for i, text in enumerate(told.notes)), *notes(ranking, tests)):
        console.print(note, soft_wrap=True)
    console.print(f"{seconds:.1f} s", style="dim")


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
