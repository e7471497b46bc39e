"""L5: exponential families: coordinates, the derivatives of the log-partition, moment matching, natural gradients.

That these hold for every member of the catalogue is tested by the contracts; here they are shown on a few.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

MEMBERS = [
    sf.Normal(1.0, 2.0),
    sf.Gamma(2.5, 3.0),
    sf.Beta(2.0, 0.7),
    sf.Poisson(4.0),
    sf.Binomial(9, 0.3),
    sf.Categorical.from_probs([0.2, 0.5, 0.3]),
    sf.Dirichlet([0.5, 2.0, 4.0]),
    sf.MultivariateNormal([1.0, -1.0], [[2.0, 0.5], [0.5, 1.0]]),
    sf.Multinomial.from_probs(5, [0.2, 0.5, 0.3]),
    sf.VonMisesFisher(np.array([0.6, 0.8]), 2.0),
]
NAMES = [type(p).__name__ for p in MEMBERS]


def held(p):
    return {name: getattr(p, name) for name in type(p).held}


@pytest.mark.parametrize("p", MEMBERS, ids=NAMES)
def test_maps_and_derivatives(p):
    """Usual → natural → usual; ∇A = E[T] and ∇²A = Cov[T] over 100,000 draws (each |z| < 6.2: false alarm 6e-10)."""
    eta = p.natural()
    again = type(p).from_natural(eta, **held(p))
    x = p.sample((100_000,), rng=5)
    np.testing.assert_allclose(again.log_prob(x[:99]), p.log_prob(x[:99]), rtol=1e-12, atol=1e-12)
    statistic = np.asarray(p.statistic(x))
    mean, information = np.asarray(p.mean_parameters()), np.asarray(p.natural_fisher_information())
    error = statistic.std(0) / np.sqrt(len(statistic))
    assert np.all(np.abs(statistic.mean(0) - mean) <= 6.2 * error + 1e-12)
    step = statistic - mean
    products = step[:, :, None] * step[:, None, :]
    error = products.std(0) / np.sqrt(len(products))
    assert np.all(np.abs(products.mean(0) - information) <= 6.2 * error + 1e-12)


@pytest.mark.parametrize("p", MEMBERS, ids=NAMES)
def test_log_partition_is_convex(p):
    """A on a segment lies below the chord; its Hessian has no negative eigenvalue."""
    eta = np.asarray(p.natural())
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = eta * (1.0 + 0.3 * rng.uniform(-1.0, 1.0, eta.shape))
        ends = [float(p.log_partition(e)) for e in (eta, other)]
        if not np.all(np.isfinite(ends)):
            continue
        assert float(p.log_partition(0.5 * (eta + other))) <= 0.5 * sum(ends) + 1e-12
    information = np.asarray(p.natural_fisher_information())
    assert np.linalg.eigvalsh(information).min() >= -1e-12 * np.abs(information).max()


@pytest.mark.parametrize("p", MEMBERS, ids=NAMES)
def test_maximum_likelihood_matches_moments(p):
    """At the estimate E[T] is the mean of T over the data."""
    x = np.asarray(p.sample((400,), rng=8)).astype(float)
    target = sf.family(type(p), **held(p)) if held(p) else type(p)
    fitted = sf.fit(target, x).distribution
    np.testing.assert_allclose(fitted.mean_parameters(), np.asarray(p.statistic(x)).mean(0), rtol=1e-9, atol=1e-9)


def test_natural_gradient():
    """F(η)⁻¹ ∂/∂η equals ∂/∂μ, μ the mean parameters: for the gamma's entropy."""
    p = sf.Gamma(2.5, 3.0)
    eta = p.natural()
    slope = jax.grad(lambda e: sf.Gamma.from_natural(e).entropy())(eta)
    natural = jnp.linalg.solve(p.natural_fisher_information(), slope)
    h, mean = 1e-5, p.mean_parameters()
    for i in range(2):  # differences in μ, each η found from its μ by Newton's method on ∇A(η) = μ
        ends = []
        for sign in (1.0, -1.0):
            target, at = mean.at[i].add(sign * h), eta
            for _ in range(20):
                member = sf.Gamma.from_natural(at)
                at = at + jnp.linalg.solve(member.natural_fisher_information(), target - member.mean_parameters())
            ends.append(float(sf.Gamma.from_natural(at).entropy()))
        assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(float(natural[i]), rel=1e-5)


def test_conjugate_prior_as_pseudo_data():
    """exp(χ·η − ν A(η)) is the likelihood of ν pseudo-observations of mean statistic χ/ν: data add to χ and ν."""
    x = np.array([2.0, 0.5, 1.0])
    chi, nu = np.array([0.3, 1.0]), 2.0
    etas = [sf.Gamma(a, b).natural() for a, b in ((1.0, 1.0), (3.0, 2.0), (0.7, 0.1))]
    p = sf.Gamma(1.0, 1.0)
    posterior = [
        (chi + np.asarray(p.statistic(x)).sum(0)) @ eta - (nu + len(x)) * float(p.log_partition(eta)) for eta in etas
    ]
    direct = [
        chi @ eta - nu * float(p.log_partition(eta)) + float(sf.Gamma.from_natural(eta).log_prob(x).sum())
        for eta in etas
    ]
    np.testing.assert_allclose(np.diff(posterior), np.diff(direct), rtol=1e-12)
