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

    from suffice.report.tables import mark, ranking_rows

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    table = Table(box=None, pad_edge=False, header_style="bold")
    told = ranking_rows(ranking, tests)
    for i, header in enumerate(told.headers):
        table.add_column(header, justify="left" if i in told.words else "right", no_wrap=i == 1)
    for row in told.rows:
        table.add_row(*(cell.replace("\n", ", ") for cell in row))
    s = ranking.summary
    console.print(f"{ranking.name}: {s.count:g} observations from {s.minimum:g} to {s.maximum:g}, mean {s.mean:.6g}")
    if s.missing:
        console.print(f"{s.missing} missing values left out")
    console.print(table)
    for note in (*(f"{mark(i)} {text}" for i, text in enumerate(told.notes)), *notes(ranking, tests)):
        console.print(note, soft_wrap=True, markup=False)
    console.print(f"{seconds:.1f} s", style="dim")


def notes(ranking: Any, tests: Any) -> list[str]:
    """Remarks under the table."""
    lines = []
    if ranking.rounding:
        lines.append("Integers: continuous families are fitted to and scored by the probability of x ± ½.")
    lines += [f"{i.name} is impossible: {i.reason}." for i in ranking.impossible]
    lines += [
        f"Test of fit of {t.name}: {t.test}, statistic {t.statistic:.4g}, p = {t.p_value:.3g} "
        f"({t.replicates} parametric bootstrap samples, refitted"
        + (f"; on a random sample of {t.count} values)." if t.sampled else ").")
        for t in tests
    ]
    if ranking.passes > 1:
        lines.append(f"The file was read {ranking.passes} times.")
    return lines


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
