import numpy as np
import pytest

import suffice as sf
from suffice.report.empirical import Empirical
from suffice.report.tables import (
    counted,
    decimal,
    fit_rows,
    impossible_rows,
    listed,
    names_rows,
    number,
    ranking_rows,
    share,
    summary_rows,
    with_error,
)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (76.40312, 0.7512, "76.40 ± 0.75"),
        (25.137, 2.13, "25.1 ± 2.1"),
        (1572.8, 141.0, "1570 ± 140"),
        (0.013909, 0.000838, "0.01391 ± 0.00084"),
        (-1.5, 0.0999, "−1.50 ± 0.10"),
        (123456.0, 2345.0, "123,500 ± 2300"),
        (1.23456e-9, 1.2e-11, "1.235e−09 ± 1.2e−11"),
        (42.5, np.nan, "42.5"),
        (3.0, 0.0, "3"),
    ],
)
def test_estimates_are_rounded_to_two_digits_of_their_error(value, error, text):
    assert with_error(value, error) == text


def test_numbers():
    assert [number(v) for v in (2e6, 0.1, -3.25, np.nan)] == ["2,000,000", "0.1", "−3.25", "–"]
    assert decimal(-1.005, 1) == "−1.0"
    assert [share(v) for v in (0.5, 1e-9, np.nan)] == ["0.500", "< 0.001", "–"]
    assert [counted(n, "row") for n in (0, 1, 1234567)] == ["0 rows", "1 row", "1,234,567 rows"]
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_ranking(ranking):
    goodness = ranking.goodness_of_fit(top=1, replicates=19)
    table = ranking_rows(ranking, goodness)
    assert len({len(row) for row in (table.headers, *table.rows)}) == 1
    assert [row[1] for row in table.rows] == ["Gamma", "Exponential", "Uniform ¹"]
    assert "heuristic" in table.notes[0]
    assert table.rows[0][2].startswith("concentration ")
    assert table.rows[0][2].count("±") == 2
    assert [row[-1] == "" for row in table.rows] == [False, True, True]
    assert impossible_rows(ranking).rows[0][0] == "Beta"
    assert dict(zip(("family", "r", "scipy"), names_rows([ranking.best]).rows[0], strict=True)) == {
        "family": "Gamma",
        "r": "gamma(shape=concentration, rate=rate)",
        "scipy": "gamma(a=concentration, scale=1/rate)",
    }


def test_families_at_their_limit_say_so():
    x = np.random.default_rng(1).binomial(10, 0.5, 300)  # variance below the mean
    ranking = sf.rank(x, [sf.Poisson, sf.NegativeBinomial])
    table = ranking_rows(ranking)
    assert table.rows[1][1] == "NegativeBinomial ¹"
    assert "Poisson" in table.notes[0]


def test_summary(ranking, gamma_values):
    table = summary_rows(ranking, Empirical.of(ranking))
    facts = dict(zip(table.headers, table.rows[0], strict=True))
    assert facts["Observations"] == "200"
    assert facts["Mean"] == number(gamma_values.mean())
    assert facts["Standard deviation"] == number(gamma_values.std(ddof=1))
    assert facts["Median"] == number(np.quantile(gamma_values, 0.5, method="inverted_cdf"))


def test_intervals_of_a_fit(ranking):
    table = fit_rows(ranking.best, level=0.9)
    assert table.headers[-2:] == ("5 %", "95 %")
    low, high = ranking.best.interval(0.9)["rate"]
    assert table.rows[1][-2:] == (number(low), number(high))
