"""Laws of integers against sums of exact probabilities in 40 digits."""

import mpmath as mp
import numpy as np
import pytest

import suffice as sf
from suffice.distributions.generic import expectation
from suffice.numerics.tail_sums import log_tail_sum

mp.mp.dps = 40
SMALLEST = mp.mpf(10) ** -290


def binomial(n, p):
    p = mp.mpf(p)
    return lambda k: mp.binomial(n, k) * p**k * (1 - p) ** (n - k)


def beta_binomial(n, a, b):
    a, b = mp.mpf(a), mp.mpf(b)
    return lambda k: mp.binomial(n, k) * mp.beta(k + a, n - k + b) / mp.beta(a, b)


def hypergeometric(population, successes, draws):
    total = mp.binomial(population, draws)
    return lambda k: mp.binomial(successes, k) * mp.binomial(population - successes, draws - k) / total


def skellam(a, b):
    a, b = mp.mpf(a), mp.mpf(b)
    return lambda k: mp.exp(-a - b) * mp.sqrt(a / b) ** k * mp.besseli(abs(k), 2 * mp.sqrt(a * b))


def logarithmic(p):
    p = mp.mpf(p)
    return lambda k: -(p**k) / (k * mp.log(1 - p))


# law, members, integers that hold all the mass but for 1e-320 of each tail that is looked at
CASES = {
    "Binomial": (sf.Binomial, binomial, [(1, 0.3), (60, 1e-9), (300, 0.7), (300, 0.999)], None),
    "BetaBinomial": (
        sf.BetaBinomial,
        beta_binomial,
        [(5, 0.5, 0.5), (150, 1e-3, 2.0), (150, 0.03, 0.03), (300, 3.0, 1e-3), (300, 1e4, 2e4), (300, 1e8, 3e8)],
        None,
    ),
    "Hypergeometric": (
        sf.Hypergeometric,
        hypergeometric,
        [(10, 3, 4), (100, 90, 70), (10**6, 300, 500), (10**4, 700, 4000), (10**9, 300, 10**8)],
        None,
    ),
    "Skellam": (sf.Skellam, skellam, [(1e-3, 1e-3), (1e-5, 2.0), (0.5, 3.0), (30.0, 40.0)], (-400, 400)),
    "Logarithmic": (sf.Logarithmic, logarithmic, [(1e-8,), (1e-3,), (0.1,), (0.5,)], (1, 1100)),
}


def points(masses):
    """Places in the order of masses: ends, and a spread between."""
    last = len(masses) - 2
    return sorted({0, 1, last // 10, last // 3, last // 2, 2 * last // 3, last} & set(range(last + 1)))


@pytest.mark.parametrize("name", CASES)
def test_against_exact_sums(name):
    """Probabilities to 1e-14 in the logarithm, tails to 5e-13 relative: the rounding of sums of a thousand logarithms.

    Tails and logarithms are looked at as long as the tail exceeds 1e-290; a tail near 1 through its complement.
    """
    kind, exact, members, window = CASES[name]
    for member in members:
        p = kind(*map(float, member))
        low, high = window or (int(p.support().lower), int(p.support().upper))
        mass = exact(*member)
        masses = [mass(k) for k in range(low, high + 1)]
        places = [i for i in points(masses) if 100 <= i <= 700 or window != (-400, 400)]  # where no tail is cut
        k = np.array([low + i for i in places], float)
        found = {m: np.asarray(getattr(p, m)(k)) for m in ("log_prob", "cdf", "sf", "log_cdf", "log_sf")}
        for row, i in enumerate(places):
            tails = {"cdf": mp.fsum(masses[: i + 1]), "sf": mp.fsum(masses[i + 1 :])}
            if masses[i] > SMALLEST:
                log_mass = mp.log(masses[i])
                assert abs(found["log_prob"][row] - log_mass) <= 1e-14 * (1 + abs(log_mass)), (member, k[row])
            for tail, value in tails.items():
                rest = sum(tails.values()) - value if value < 0.5 else tails["sf" if tail == "cdf" else "cdf"]
                if min(value, rest) > SMALLEST:
                    assert abs(found[tail][row] / value - 1) <= 5e-13, (tail, member, k[row])
                    log_value = mp.log(value) if value < 0.5 else mp.log1p(-rest)
                    assert abs(found["log_" + tail][row] / log_value - 1) <= 5e-13, (tail, member, k[row])


def test_long_sums():
    """A tail of a Poisson law of mean 1e6 is the incomplete gamma function, whatever the number of its terms."""
    p = sf.Poisson(1e6)
    k = np.array([0.0, 9.5e5, 9.9e5, 1e6])
    found = np.asarray(log_tail_sum(lambda j: p._log_prob(j), k, np.zeros(4)))
    # log p carries an error of eps times its own size, and so does the sum
    np.testing.assert_allclose(found, p.log_cdf(k), rtol=1e-13, atol=1e-12)


def test_skellam_of_large_rates():
    """Nothing cancels where both rates are large: log P(X = a − b) = −½ log(2π(a + b)) + O(1/(a + b))."""
    for a, b in ((1e10, 1.0), (1e12, 3e12), (1e8, 1e8)):
        at_mean = float(sf.Skellam(a, b).log_prob(a - b))
        assert at_mean == pytest.approx(-0.5 * np.log(2 * np.pi * (a + b)), rel=0, abs=2 / (a + b) + 2e-14)


@pytest.mark.parametrize(
    ("family", "truth"),
    [
        (lambda: sf.family(sf.Binomial, total_count=12), lambda: sf.Binomial(12, 0.3)),
        (lambda: sf.family(sf.BetaBinomial, total_count=12), lambda: sf.BetaBinomial(12, 2.0, 3.0)),
        (lambda: sf.Skellam, lambda: sf.Skellam(3.0, 5.0)),
        (lambda: sf.Logarithmic, lambda: sf.Logarithmic(0.8)),
    ],
)
def test_estimates_are_near_the_truth(family, truth):
    """Within six standard errors: a false alarm of 2e-9 for each parameter."""
    p = truth()
    fit = sf.fit(family(), np.asarray(p.sample((2000,), rng=3)))
    assert fit.converged
    for name, value in fit.parameters.items():
        assert abs(value - float(getattr(p, name))) <= 6 * fit.standard_errors[name]


def test_what_must_be_known_is_asked_for():
    with pytest.raises(ValueError, match=r"total_count is not estimated and must be given"):
        sf.fit(sf.Binomial, [1, 2])
    with pytest.raises(ValueError, match="nothing is left to fit"):
        sf.family(sf.Hypergeometric, population=10, successes=3, draws=4)


@pytest.mark.parametrize("kind", [sf.Binomial, sf.BetaBinomial])
def test_more_successes_than_trials(kind):
    """The first value beyond the number of trials is named with its row."""
    with pytest.raises(sf.DataError, match=r"got 5 in row 2"):
        sf.fit(sf.family(kind, total_count=4), [3, 5, 1, 6])


@pytest.mark.parametrize(
    "p",
    [
        sf.NegativeBinomial(1e8, 1e-3),
        sf.BetaBinomial(10**6, 0.03, 0.02),
        sf.Binomial(5000, 0.3),
        sf.Skellam(3e5, 1e6),
        sf.DiscreteUniform(0, 2048),
    ],
)
def test_long_expectations(p):
    """Probabilities sum to 1 and their first moment to the mean, whether the law is a power at its ends or a narrow peak."""
    np.testing.assert_allclose(expectation(p, lambda k: k**0), 1.0, rtol=1e-14)
    np.testing.assert_allclose(expectation(p, lambda k: k), p.mean(), rtol=1e-14)
