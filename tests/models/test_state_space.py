"""State space models against the joint normal of states and values, written out as one matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import suffice as sf
from suffice.models.state_space import series
from suffice.models.state_space.likelihood import by_covariances
from suffice.runtime.errors import DataError

NILE = np.array(
    [
        "1120",
        "1160",
        "963",
        "1210",
        "1160",
        "1160",
        "813",
        "1230",
        "1370",
        "1140",
        "995",
        "935",
        "1110",
        "994",
        "1020",
        "960",
        "1180",
        "799",
        "958",
        "1140",
        "1100",
        "1210",
        "1150",
        "1250",
        "1260",
        "1220",
        "1030",
        "1100",
        "774",
        "840",
        "874",
        "694",
        "940",
        "833",
        "701",
        "916",
        "692",
        "1020",
        "1050",
        "969",
        "831",
        "726",
        "456",
        "824",
        "702",
        "1120",
        "1100",
        "832",
        "764",
        "821",
        "768",
        "845",
        "864",
        "862",
        "698",
        "845",
        "744",
        "796",
        "1040",
        "759",
        "781",
        "865",
        "845",
        "944",
        "984",
        "897",
        "822",
        "1010",
        "771",
        "676",
        "649",
        "846",
        "812",
        "742",
        "801",
        "1040",
        "860",
        "874",
        "848",
        "890",
        "744",
        "749",
        "838",
        "1050",
        "918",
        "986",
        "797",
        "923",
        "975",
        "815",
        "1020",
        "906",
        "901",
        "1170",
        "912",
        "746",
        "919",
        "718",
        "714",
        "740",
    ],
    float,
)  # annual flow of the Nile at Aswan, 1871 to 1970, in 1e8 m³ (Cobb 1978)
KINDS = {
    "all known": ((False, False, False), 2, True),
    "one observed, noise of rank 2": ((False, False, False), 1, False),
    "two diffuse": ((True, True, False), 2, False),
    "two diffuse, one observed": ((True, True, False), 1, False),
}


def case(name, length=12):
    diffuse, p, full = KINDS[name]
    random = np.random.default_rng(list(KINDS).index(name))
    known = ~np.array(diffuse)
    model = sf.StateSpaceModel(
        random.normal(size=(3, 3)) * 0.5,
        np.eye(3) if full else np.diag([1.0, 0.0, 0.3]),
        random.normal(size=(p, 3)),
        0.5 * np.eye(p) + 0.2,
        random.normal(size=3),
        np.diag(1.0 * known),
        random.normal(size=3),
        random.normal(size=p),
        diffuse=diffuse,
    )
    x = random.normal(size=(length, p))
    x[3], x[5, 0], x[-1] = np.nan, np.nan, np.nan
    return model, x


def joint(model, x):
    """log p(x), means and covariances of all states, from the normal of everything at once."""
    f, q, h, r = map(np.asarray, (model.transition, model.state_covariance, model.observation, model.noise_covariance))
    d, n, known = len(f), len(x), ~np.array(model.diffuse)
    power = [np.linalg.matrix_power(f, t) for t in range(n)]
    moves = np.block([[power[t - s] if s <= t else np.zeros((d, d)) for s in range(n)] for t in range(n)])
    noise = np.kron(np.diag([0.0] + [1.0] * (n - 1)), q)
    noise[:d, :d] = np.asarray(model.initial_covariance) * known * known[:, None]
    covariance = moves @ noise @ moves.T
    push = np.concatenate([np.asarray(model.initial_mean) * known, np.tile(np.asarray(model.state_offset), n - 1)])
    mean, spread = moves @ push, moves[:, :d][:, ~known]
    seen = np.isfinite(x).ravel()
    h, r = np.kron(np.eye(n), h)[seen], np.kron(np.eye(n), r)[np.ix_(seen, seen)]
    error = (x - np.asarray(model.observation_offset)).ravel()[seen] - h @ mean
    inverse, columns = np.linalg.inv(h @ covariance @ h.T + r), h @ spread
    told = columns.T @ inverse @ columns
    start = np.linalg.solve(told, columns.T @ inverse @ error)
    rest = error - columns @ start
    value = 0.5 * (np.linalg.slogdet(inverse)[1] - np.linalg.slogdet(told)[1] - rest @ inverse @ rest)
    value -= 0.5 * (seen.sum() - len(start)) * np.log(2.0 * np.pi)
    gain = covariance @ h.T @ inverse
    left = spread - gain @ columns
    whole = covariance - gain @ h @ covariance + left @ np.linalg.inv(told) @ left.T
    blocks = np.array([whole[t * d : (t + 1) * d, t * d : (t + 1) * d] for t in range(n)])
    return value, (mean + spread @ start + gain @ rest).reshape(n, d), blocks


@pytest.mark.parametrize("in_parallel", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_likelihood_and_states_are_those_of_the_joint_normal(name, in_parallel):
    model, x = case(name)
    value, mean, covariance = joint(model, x)
    found = model.smooth(x, parallel=in_parallel)
    np.testing.assert_allclose(found.log_likelihood, value, rtol=1e-12)
    np.testing.assert_allclose(model.log_prob(x), value, rtol=1e-12)
    np.testing.assert_allclose(found.mean, mean, atol=1e-11)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-11)
    filtered = model.filter(x, parallel=in_parallel)
    np.testing.assert_allclose(filtered.mean[-1], mean[-1], atol=1e-11)
    _, until, spread = joint(model, x[:7])
    np.testing.assert_allclose(filtered.mean[6], until[-1], atol=1e-11)
    np.testing.assert_allclose(filtered.covariance[6], spread[-1], atol=1e-11)


@pytest.mark.parametrize("name", KINDS)
def test_derivatives_are_those_of_the_likelihood(name):
    model, x = case(name)

    def value(f):
        return sf.StateSpaceModel(
            f,
            model.state_covariance,
            model.observation,
            model.noise_covariance,
            model.initial_mean,
            model.initial_covariance,
            diffuse=model.diffuse,
        ).log_prob(x)

    at, eps = model.transition, 1e-5
    gradient = jax.grad(value)(at)
    for i, j in ((0, 0), (1, 2)):
        step = jnp.zeros((3, 3)).at[i, j].set(eps)
        np.testing.assert_allclose(
            gradient[i, j], (value(at + step) - value(at - step)) / (2 * eps), rtol=1e-6, atol=1e-7
        )


def test_covariances_stay_covariances_over_many_steps():
    known = sf.StateSpaceModel([[0.9, 0.2], [-0.2, 0.8]], np.diag([1.0, 0.3]), np.eye(2), np.diag([0.5, 0.3]))
    x = known.sample(2000, rng=0)
    s = series.series(x, 2)
    np.testing.assert_allclose(by_covariances(known.matrices(), s.values, s.seen), known.log_prob(x), rtol=1e-12)


def test_nile():
    """Durbin and Koopman 2012, sections 2.10 and 7.3: variances 15099 and 1469.1, and the states of figure 2.1."""
    fit = sf.fit_state_space(sf.LocalLevel(), NILE)
    assert fit.converged
    assert abs(fit.parameters["noise.variance"] - 15099) < 1.0
    assert abs(fit.parameters["level.variance"] - 1469.1) < 0.2
    np.testing.assert_allclose(fit.log_likelihood - 0.5 * np.log(2 * np.pi), -633.4645636, atol=1e-6)  # their constant
    model = sf.StateSpaceModel([[1.0]], [[1469.1]], [1.0], 15099.0, diffuse=True)
    ahead = model.forecast(NILE, 30)
    np.testing.assert_allclose(ahead.loc, 798.3703, atol=1e-3)
    np.testing.assert_allclose(np.diff(np.asarray(ahead.scale) ** 2), 1469.1, rtol=1e-9)
    errors = np.asarray(fit.residuals())
    assert np.isnan(errors[0])
    assert abs((errors[1:] ** 2).mean() - 1.0) < 1e-9  # at the maximum, exactly: the scale is free


def test_a_seasonal_model_finds_its_parts():
    random = np.random.default_rng(3)
    season = np.tile([3.0, -1.0, 0.5, -2.5], 30)
    level = 10.0 + np.cumsum(0.3 * random.normal(size=120))
    x = level + season + 0.2 * random.normal(size=120)
    fit = sf.fit_state_space(sf.LocalLevel() + sf.Seasonal(4), x)
    assert fit.converged
    parts = fit.components()
    for name, truth in (("seasonal4", season), ("level", level)):
        z = (np.asarray(parts[name].loc) - truth) / np.asarray(parts[name].scale)
        assert np.abs(z).max() < 5.0  # 120 normal values stray that far with probability 7e-5
    total = parts["level"].loc + parts["seasonal4"].loc
    np.testing.assert_allclose(total, fit.model.of_states(fit.smooth().mean, fit.smooth().covariance).loc, rtol=1e-9)
    low, high = fit.interval()["noise.variance"]
    assert low < fit.parameters["noise.variance"] < high
    ahead = fit.forecast(4)
    # the bands hold more than the error of the mean: four values beyond 5 with less than 3e-6
    assert (np.abs(np.asarray(ahead.loc) - level[-1] - season[:4]) < 5.0 * np.asarray(ahead.scale)).all()


def test_autoregression_by_hand():
    """AR(1): the exact likelihood is a product of normals."""
    x = np.random.default_rng(0).normal(size=50).cumsum() * 0.1
    model = sf.StateSpaceModel([[0.7]], [[2.0]], [1.0], 0.0)
    by_hand = (
        sf.Normal(0.0, np.sqrt(2.0 / 0.51)).log_prob(x[0]) + sf.Normal(0.7 * x[:-1], np.sqrt(2.0)).log_prob(x[1:]).sum()
    )
    np.testing.assert_allclose(model.log_prob(x), by_hand, rtol=1e-13)
    fit = sf.fit_state_space(sf.Autoregressive(1), x, noise=False)
    slope = jax.grad(lambda v: sf.StateSpaceModel([[v[0]]], [[v[1]]], [1.0], 0.0).log_prob(x))
    at = jnp.array([fit.parameters["ar1.partial[1]"], fit.parameters["ar1.variance"]])
    assert np.abs(slope(at) * at).max() < 1e-6


def test_em_rises_and_ends_near_the_maximum():
    truth = sf.StateSpaceModel([[0.8]], [[1.0]], [[1.0], [0.5]], np.diag([0.5, 0.3]))
    x = np.array(truth.sample(150, rng=0))
    x[20:25] = np.nan
    start = sf.StateSpaceModel([[0.5]], [[0.5]], [[1.0], [0.5]], np.eye(2), 0.0, [[1.0]])
    free = ["transition", "state_covariance", "noise_covariance"]
    learnt = sf.learn_state_space(start, x, free=free, steps=2000, tolerance=1e-10)
    assert learnt.converged
    assert (np.diff(learnt.trace) > -1e-9).all()
    np.testing.assert_allclose(learnt.model.log_prob(x), learnt.trace[-1], rtol=1e-12)

    def value(u):
        noise = jnp.array([[u[2], u[3]], [u[3], u[4]]])
        return sf.StateSpaceModel(u[:1, None], u[1:2, None], truth.observation, noise, 0.0, [[1.0]]).log_prob(x)

    m = learnt.model
    at = jnp.array([m.transition[0, 0], m.state_covariance[0, 0], *m.noise_covariance.ravel()[jnp.array([0, 1, 3])]])
    slope, hessian = jax.grad(value)(at), jax.hessian(value)(at)
    left = -0.5 * float(slope @ jnp.linalg.solve(hessian, slope))
    # gains of EM shrink by a constant rate: what is left is that of all steps to come. The last gains, 1e-10, carry
    # rounding of 5e-14, and the rate 0.84 is known to 1e-3 of 1 - 0.84
    *_, before, last = np.diff(learnt.trace)
    rate = last / before
    np.testing.assert_allclose(left, last * rate / (1.0 - rate), rtol=0.03)


def test_drawn_states_have_the_smoothed_law():
    """At a false-alarm rate of 2e-6 over 100 means, normal, and variances, chi-square, of 4,000 draws."""
    model = sf.StateSpaceModel([[1.0]], [[1469.1]], [1.0], 15099.0, diffuse=True)
    whole, draws = model.smooth(NILE), np.asarray(model.sample_states(NILE, (4000,), rng=1))[..., 0]
    sd = np.asarray(whole.stddev)[:, 0]
    z = (draws.mean(0) - np.asarray(whole.mean)[:, 0]) / sd * np.sqrt(4000)
    assert np.abs(z).max() < stats.norm.isf(0.5e-8)
    squares = 3999 * draws.var(0, ddof=1) / sd**2
    assert squares.max() < stats.chi2.isf(0.5e-8, 3999)
    assert squares.min() > stats.chi2.ppf(0.5e-8, 3999)


def test_bad_input():
    level = sf.StateSpaceModel([[1.0]], [[0.5]], [1.0], 1.0, diffuse=True)
    with pytest.raises(DataError, match="empty"):
        level.log_prob(np.zeros(0))
    with pytest.raises(DataError, match="all values are NaN"):
        level.smooth([np.nan, np.nan])
    with pytest.raises(DataError, match="at time 1"):
        level.smooth([1.0, np.inf])
    with pytest.raises(ValueError, match="shape"):
        level.log_prob(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="square"):
        sf.StateSpaceModel([[1.0, 2.0]], [[0.5]], [1.0], 1.0)
    with pytest.raises(ValueError, match="semidefinite"):
        sf.StateSpaceModel([[0.5]], [[-0.5]], [1.0], 1.0)
    with pytest.raises(ValueError, match="stationary"):
        sf.StateSpaceModel([[1.0]], [[0.5]], [1.0], 1.0)
    with pytest.raises(ValueError, match="diffuse"):
        level.sample(3, rng=0)
    with pytest.raises(DataError, match="constant"):
        sf.fit_state_space(sf.LocalLevel(), np.ones(20))
    with pytest.raises(
        DataError, match=r"of LocalLevel\(\) \+ LocalLevel\(\) is not finite: .* tell the parts' first states"
    ):
        sf.fit_state_space(sf.LocalLevel() + sf.LocalLevel(), np.random.default_rng(0).normal(size=30))
    with pytest.raises(ValueError, match=r"Seasonal.period must be an integer >= 2, got 4.5"):
        sf.Seasonal(4.5)
    with pytest.raises(DataError, match="too few"):
        sf.fit_state_space(sf.Seasonal(12), np.arange(10.0))
    slope = sf.StateSpaceModel([[1.0, 1.0], [0.0, 1.0]], np.eye(2), [1.0, 0.0], 1.0, diffuse=True)
    with pytest.raises(DataError, match="determine"):
        slope.smooth([1.0])


@pytest.mark.parametrize("noise", [True, False])
@pytest.mark.parametrize(("times", "part"), [(1, sf.LocalLevel()), (2, sf.LocalTrend(smooth=True))])
def test_walks_without_noise(times, part, noise):
    """A start that is unknown, and no noise: differences are independent, so all is known in closed form.

    Of these series the variance of the noise is estimated as 0 where there may be some.
    """
    x = np.random.default_rng(1).normal(size=60)
    for _ in range(times):
        x = np.cumsum(x)
    fit = sf.fit_state_space(part, x, noise=noise)
    assert fit.converged
    assert fit.boundary == (("noise.variance",) if noise else ())
    steps = np.diff(x, times)
    variance = (steps**2).mean()
    assert next(iter(fit.parameters.values())) == pytest.approx(variance, rel=1e-9)
    assert fit.log_likelihood == pytest.approx(-0.5 * len(steps) * (np.log(2.0 * np.pi * variance) + 1.0), rel=1e-12)
    assert float(fit.model.log_prob(x)) == pytest.approx(fit.log_likelihood, rel=1e-12)
    error = next(iter(fit.standard_errors.values()))
    assert error == pytest.approx(variance * np.sqrt(2.0 / len(steps)), rel=1e-9)
    assert float(fit.forecast(1).loc[0]) == pytest.approx(x[-1] + (times == 2) * (x[-1] - x[-2]), rel=1e-12)
    assert float(fit.forecast(1).scale[0]) == pytest.approx(np.sqrt(variance), rel=1e-9)
    np.testing.assert_allclose(fit.residuals()[times:], steps / np.sqrt(variance), rtol=1e-9)
    np.testing.assert_allclose(fit.model.smooth(x, parallel=False).mean[:, 0], x, rtol=1e-9)
    np.testing.assert_allclose(fit.model.smooth(x, parallel=True).mean[:, 0], x, rtol=1e-9)
    [law] = fit.components().values()
    np.testing.assert_allclose(law.loc, x, rtol=1e-12)
    assert "vconcat" in sf.plot(fit).to_dict()


@pytest.mark.parametrize("noise", [1.0, 1e-3, 1e-6, 1e-12, 1e-20, 0.0])
def test_scans_keep_their_digits_where_noise_is_small(noise):
    """A trend seen almost without noise: what is asked to go by scans is what goes one time after the other."""
    x = np.cumsum(np.cumsum(np.random.default_rng(2).normal(size=200)))
    model = sf.StateSpaceModel([[1.0, 1.0], [0.0, 1.0]], np.diag([0.0, 1.0]), [1.0, 0.0], noise, diffuse=True)
    for ask in (model.smooth, model.filter):
        one, other = ask(x, parallel=False), ask(x, parallel=True)
        assert float(other.log_likelihood) == pytest.approx(float(one.log_likelihood), rel=1e-11)
        np.testing.assert_allclose(other.mean, one.mean, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(other.covariance, one.covariance, atol=1e-12)
    assert float(model.log_prob(x)) == pytest.approx(float(model.smooth(x).log_likelihood), rel=1e-12)


def test_series_of_32_bits():
    x = np.random.default_rng(4).normal(size=40).cumsum().astype(np.float32)
    narrow, wide = (sf.fit_state_space(sf.LocalLevel(), v) for v in (x, x.astype(float)))
    assert narrow.parameters == wide.parameters
    assert float(narrow.model.log_prob(x)) == float(wide.model.log_prob(x.astype(float)))


def test_covariances_that_are_none_are_nan_where_traced():
    def value(r):
        return sf.StateSpaceModel([[0.5]], [[1.0]], [1.0], r).log_prob([1.0, 2.0])

    assert np.isfinite(jax.jit(value)(0.0))
    assert np.isnan(jax.jit(value)(-0.1))
