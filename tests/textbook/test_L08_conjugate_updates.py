"""L8: conjugate updates: precisions add, strong and weak priors, consistency; MLE, MAP and posterior mean side by side."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf


def test_precisions_add():
    x = np.random.default_rng(0).normal(3.0, 2.0, 12)
    prior = sf.Normal(1.0, 0.5)
    posterior = sf.update(prior, sf.family(sf.Normal, scale=2.0), x).distribution
    precision = 1 / 0.5**2 + 12 / 2.0**2
    assert float(posterior.scale) == pytest.approx(precision**-0.5, rel=1e-15)
    assert float(posterior.loc) == pytest.approx((1.0 / 0.5**2 + x.sum() / 2.0**2) / precision, rel=1e-14)


def test_strong_priors_stay_and_weak_ones_give_way():
    x = np.random.default_rng(1).normal(3.0, 2.0, 12)
    family = sf.family(sf.Normal, scale=2.0)
    strong, weak = (float(sf.update(sf.Normal(-1.0, s), family, x).mean) for s in (1e-6, 1e6))
    assert strong == pytest.approx(-1.0, abs=1e-10)
    assert weak == pytest.approx(x.mean(), abs=1e-10)
    assert weak == pytest.approx(float(sf.update("flat", family, x).mean), abs=1e-10)


def test_consistency():
    """The posterior mean tends to the MLE like 1/n, and the posterior to the truth.

    2,000 posteriors at each size: the share of 95 % intervals that hold the truth, drawn from the prior, is binomial;
    false alarm 1e-9 of each size.
    """
    truth = sf.Beta(2.0, 3.0).sample(2000, rng=0)
    for n in (10, 100, 1000):
        k = np.asarray(sf.Binomial(n, truth).sample(rng=1), float)
        posterior = sf.Beta(2.0 + k, 3.0 + n - k)
        gap = np.abs(np.asarray(posterior.mean()) - k / n)
        assert gap.max() <= 5.0 / (n + 5.0)  # |2 − 5 k/n|/(n + 5)
        inside = int((jnp.abs(posterior.cdf(truth) - 0.5) < 0.475).sum())  # of the interval with equal tails
        assert abs(inside - 1900) < 6.1 * np.sqrt(2000 * 0.95 * 0.05)
        assert float(posterior.stddev().max()) <= 0.5 / np.sqrt(n)
    one = sf.update(sf.Beta(2.0, 3.0), sf.family(sf.Binomial, total_count=n), k[:1])
    assert (float(one.distribution.alpha), float(one.distribution.beta)) == (2.0 + k[0], 3.0 + n - k[0])


def test_three_estimates_side_by_side():
    fit = sf.fit(sf.Bernoulli, [1, 1, 1, 0], prior={"probs": sf.Beta(2.0, 2.0)})
    found = {name: values["probs"] for name, values in fit.estimates.items()}
    assert found == {"mle": pytest.approx(3 / 4), "map": pytest.approx(4 / 6), "mean": pytest.approx(5 / 8)}
    with pytest.raises(ValueError, match="no prior"):
        sf.fit(sf.Bernoulli, [1, 0]).estimates  # noqa: B018


def test_three_estimates_without_conjugacy():
    """A prior on each of two parameters: the means are those of the joint posterior, here by quadrature by hand."""
    x = np.random.default_rng(2).gamma(3.0, 0.5, 40)
    prior = {"concentration": sf.Gamma(2.0, 0.5), "rate": sf.Gamma(2.0, 0.5)}
    estimates = sf.fit(sf.Gamma, x, prior=prior).estimates
    a, b = np.meshgrid(np.exp(np.linspace(-2, 4, 700)), np.exp(np.linspace(-2, 4, 700)), indexing="ij")
    logs = jax.vmap(lambda a, b: sf.Gamma(a, b).log_prob(x).sum())(jnp.asarray(a.ravel()), jnp.asarray(b.ravel()))
    logs = np.asarray(logs).reshape(a.shape) + np.asarray(
        prior["concentration"].log_prob(a) + prior["rate"].log_prob(b)
    )
    w = np.exp(logs - logs.max()) * a * b
    assert estimates["mean"]["concentration"] == pytest.approx((w * a).sum() / w.sum(), rel=1e-9)
    assert estimates["mean"]["rate"] == pytest.approx((w * b).sum() / w.sum(), rel=1e-9)
    assert estimates["mle"] == sf.fit(sf.Gamma, x).parameters
