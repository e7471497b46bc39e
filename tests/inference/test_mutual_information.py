"""Mutual information against closed forms, largest entropy against its known laws, similarity against worked examples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf


def test_tables():
    joint = np.array([[0.2, 0.1, 0.1], [0.05, 0.25, 0.3]])
    rows, columns = joint.sum(1, keepdims=True), joint.sum(0, keepdims=True)
    exact = (joint * np.log(joint / (rows * columns))).sum()
    assert float(sf.mutual_information(joint)) == pytest.approx(exact, rel=1e-13)
    assert float(sf.mutual_information(rows * columns)) == pytest.approx(0.0, abs=1e-15)
    counts = sf.mutual_information(np.round(10_000 * joint))
    assert counts.how == "shares of counts"
    assert abs(float(counts) - exact) < 1e-12
    # the error against the spread of 2000 tables drawn anew: within 15 %
    draws = np.random.default_rng(0).multinomial(10_000, joint.ravel(), size=2000).reshape(-1, 2, 3)
    spread = np.std([float(sf.mutual_information(t)) for t in draws])
    assert float(counts.standard_error) == pytest.approx(spread, rel=0.15)


def test_normal_vectors():
    rho = 0.6
    p = sf.MultivariateNormal([1.0, 2.0], [[4.0, 2.0 * rho], [2.0 * rho, 1.0]])
    assert float(sf.mutual_information(p, parts=([0], [1]))) == pytest.approx(-0.5 * np.log1p(-(rho**2)), rel=1e-13)
    a = np.random.default_rng(0).normal(size=(4, 4))
    sigma = a @ a.T + 0.1 * np.eye(4)
    det = np.linalg.slogdet
    exact = 0.5 * (det(sigma[np.ix_([0, 3], [0, 3])])[1] + det(sigma[1:3, 1:3])[1] - det(sigma)[1])
    found = sf.mutual_information(sf.MultivariateNormal(np.zeros(4), sigma), parts=([0, 3], [1, 2]))
    assert float(found) == pytest.approx(exact, rel=1e-11)
    faint = sf.MultivariateNormal([0.0, 0.0], [[1.0, 1e-8], [1e-8, 1.0]])
    assert float(sf.mutual_information(faint, parts=([0], [1]))) == pytest.approx(0.5e-16, rel=1e-9)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_nearest_neighbours(rho):
    """Ten samples of a normal pair: each within 5 of its errors, z-scores of about unit size, mean within 3 of its own."""
    p = sf.MultivariateNormal([0.0, 0.0], [[1.0, rho], [rho, 1.0]])
    exact = -0.5 * np.log1p(-(rho**2))
    samples = np.asarray(p.sample((10, 2000), rng=4))
    found = [sf.mutual_information(s[:, 0], s[:, 1]) for s in samples]
    z = np.array([(float(f) - exact) / float(f.standard_error) for f in found])
    assert np.abs(z).max() < 5.0
    assert 0.3 < z.std() < 2.0
    assert abs(z.mean()) < 3.0 / np.sqrt(10.0) + 0.5  # half an error for the bias of three neighbours


def test_bad_samples_and_tables():
    with pytest.raises(sf.DataError, match="equally long, got 3 and 2"):
        sf.mutual_information([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(sf.DataError, match="coincide with 3 others"):
        sf.mutual_information(np.repeat(np.arange(10.0), 10), np.repeat(np.arange(10.0), 10))
    with pytest.raises(ValueError, match=r"joint must hold numbers >= 0, got -1 at index \(0, 1\)"):
        sf.mutual_information([[1.0, -1.0]])
    p = sf.MultivariateNormal([0.0, 0.0], np.eye(2))
    with pytest.raises(ValueError, match="parts must be given"):
        sf.mutual_information(p)
    with pytest.raises(ValueError, match="must not overlap"):
        sf.mutual_information(p, parts=([0], [0, 1]))


# -- similarity ---------------------------------------------------------------------------------------------------------


def test_without_similarity_it_is_shannons_and_kullbacks():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), size=(2, 30))
    laws = sf.Categorical.from_probs(p), sf.Categorical.from_probs(q)
    np.testing.assert_allclose(sf.gait_entropy(p, np.eye(5)), laws[0].entropy(), rtol=1e-12)
    np.testing.assert_allclose(sf.gait_divergence(p, q, np.eye(5)), sf.kl(*laws).value, rtol=1e-11)


def test_similarity():
    """Equal points count once; all alike leave nothing; two points at a distance x with K = exp(−x); a Bregman divergence."""
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.4, 0.4, 0.2])
    merged = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert float(sf.gait_entropy(p, merged)) == pytest.approx(float(sf.gait_entropy([0.5, 0.5], np.eye(2))), rel=1e-14)
    pair = sf.gait_divergence([0.5, 0.5], [0.8, 0.2], np.eye(2))
    assert float(sf.gait_divergence(p, q, merged)) == pytest.approx(float(pair), rel=1e-13)
    assert float(sf.gait_divergence(p, q, np.ones((3, 3)))) == 0.0
    kernel = lambda x, y: jnp.exp(-jnp.abs(x - y).sum())  # noqa: E731
    for x in (1e-8, 0.1, 3.0):
        exact = x - np.expm1(-x)
        assert float(sf.gait_divergence([[0.0]], [[x]], kernel)) == pytest.approx(
            exact, rel=1e-7 if x < 1e-6 else 1e-13
        )
    k = np.exp(-np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0))))
    h = lambda v: -(v * jnp.log(k @ v)).sum()  # noqa: E731
    bregman = h(q) + jax.grad(h)(jnp.asarray(q)) @ (p - q) - h(p)
    assert float(sf.gait_divergence(p, q, k)) == pytest.approx(float(bregman), rel=1e-12)
    with pytest.raises(ValueError, match="symmetric with ones"):
        sf.gait_entropy(p, 2.0 * np.eye(3))


# -- largest entropy ----------------------------------------------------------------------------------------------------


def test_largest_entropy_given_moments():
    x = lambda v: v  # noqa: E731
    die = sf.max_entropy(x, 4.5, support=np.arange(1.0, 7.0))  # Jaynes' dice
    shares = np.array([0.05435, 0.07877, 0.11416, 0.16545, 0.23977, 0.34749])
    np.testing.assert_allclose(die.distribution.prob(np.arange(1.0, 7.0)), shares, atol=6e-6)
    assert die.entropy == pytest.approx(float(die.distribution.entropy()), rel=1e-12)
    normal = sf.max_entropy(lambda v: (v, v**2), [1000.0, 1e6 + 4.0])
    np.testing.assert_allclose(normal.natural, sf.Normal(1000.0, 2.0).natural(), rtol=1e-9)
    assert normal.entropy == pytest.approx(float(sf.Normal(1000.0, 2.0).entropy()), rel=1e-10)
    exponential = sf.max_entropy(x, 3.0, (0.0, np.inf))
    np.testing.assert_allclose(exponential.natural, [-1.0 / 3.0], rtol=1e-12)
    beta = sf.max_entropy(lambda v: (jnp.log(v), jnp.log1p(-v)), sf.Beta(0.5, 2.0).mean_parameters(), (0.0, 1.0))
    np.testing.assert_allclose(beta.natural, [-0.5, 1.0], rtol=1e-9)
    assert all(found.converged for found in (die, normal, exponential, beta))


def test_where_there_is_none():
    x = lambda v: v  # noqa: E731
    for found in (
        sf.max_entropy(x, 7.0, support=np.arange(1.0, 7.0)),  # beyond the support
        sf.max_entropy(lambda v: (v, v**2), [1.0, 0.5]),  # a negative variance
        sf.max_entropy(x, 3.0),  # on the whole line a mean bounds no entropy
    ):
        assert not found.converged
        assert found.distribution is None
        assert "no law" in found.message
    with pytest.raises(ValueError, match="as many as statistics, 1, got 2"):
        sf.max_entropy(x, [1.0, 2.0])


def test_natural_gradient_is_the_gradient_in_mean_parameters():
    """For the Poisson μ is the rate, so ∂/∂μ is ∂/∂rate; a step of length 1 on KL(· ‖ target) leads to the target."""
    p = sf.Poisson(4.0)
    f = lambda law: law.entropy() + law.rate**2  # noqa: E731
    direct = jax.grad(lambda rate: f(sf.Poisson(rate)))(4.0)
    np.testing.assert_allclose(sf.natural_gradient(f, p), [direct], rtol=1e-9)
    p, target = sf.Gamma(2.0, 1.0), sf.Gamma(5.0, 3.0)
    eta = p.natural() - sf.natural_gradient(lambda law: sf.kl(law, target).value, p)
    np.testing.assert_allclose(eta, target.natural(), rtol=1e-11)
    with pytest.raises(TypeError, match="must be a member of an exponential family, got Logistic"):
        sf.natural_gradient(f, sf.Logistic())
