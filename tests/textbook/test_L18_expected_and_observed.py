"""L18: intervals from the expected and from the observed information, compared by simulation."""

from scipy import stats

import suffice as sf


def test_coverage():
    """Logistic samples of 30: both cover about .95 of the time, and the observed information is not the worse.

    Each share of 2,000 lies within the binomial band of its level at false alarm 1e-7, which at .95 is ± .026, widened
    by the .015 that Wald's intervals lose at this size.
    """
    study = sf.simulate(
        sf.Logistic, sf.Logistic(1.0, 2.0), sizes=(30,), replicates=2000, intervals=["wald", "wald-expected"], rng=2
    )
    low = stats.binom(2000, 0.935).ppf(0.5e-7) / 2000
    high = stats.binom(2000, 0.95).isf(0.5e-7) / 2000
    rows = {(r["method"], r["estimate"]): r for r in study.coverage}
    assert set(rows) == {(m, e) for m in ("wald", "wald-expected") for e in ("loc", "scale")}
    for row in rows.values():
        assert low <= row["coverage"] <= high, row


def test_they_are_the_same_in_natural_parameters():
    """In an exponential family the Hessian does not depend on the data: the intervals are equal."""
    study = sf.simulate(
        sf.Exponential, sf.Exponential(2.0), sizes=(10,), replicates=200, intervals=["wald", "wald-expected"]
    )
    assert abs(study.ends["wald"] - study.ends["wald-expected"]).max() < 1e-9
