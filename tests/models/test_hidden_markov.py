"""Hidden Markov models against the sum over all paths."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

import suffice as sf
from suffice.models.hidden_markov import recursion, stretches
from suffice.runtime.errors import DataError

INITIAL = np.array([0.5, 0.2, 0.3])
TRANSITION = np.array([[0.7, 0.2, 0.1], [0.0, 0.6, 0.4], [0.3, 0.3, 0.4]])
NORMALS = sf.HiddenMarkov(INITIAL, TRANSITION, sf.Normal([0.0, 1.0, 3.0], [1.0, 0.5, 2.0]))
COUNTS = sf.HiddenMarkov(INITIAL, TRANSITION, [sf.Poisson(1.0), sf.Poisson(4.0), sf.Geometric(0.2)])
VECTORS = sf.HiddenMarkov(
    INITIAL, TRANSITION, sf.MultivariateNormal(np.array([[0.0, 0.0], [1.0, 2.0], [3.0, -1.0]]), np.eye(2))
)
MODELS = {"normals": NORMALS, "counts of two families": COUNTS, "vectors": VECTORS}


def by_enumeration(model, x):
    """log p(x), posterior, best path and its log-probability, from all K^T paths."""
    log_initial, log_transition = np.log(INITIAL), np.log(np.where(TRANSITION > 0, TRANSITION, 1e-300))
    log_transition = np.where(TRANSITION > 0, log_transition, -np.inf)
    seen = ~np.isnan(np.asarray(x)).reshape(len(x), -1).any(1)
    b = np.zeros((len(x), 3))
    b[seen] = np.asarray(model.emissions.component_log_prob(np.asarray(x)[seen]))
    paths = np.array(list(itertools.product(range(3), repeat=len(x))))
    value = log_initial[paths[:, 0]] + b[np.arange(len(x)), paths].sum(1)
    value = value + log_transition[paths[:, :-1], paths[:, 1:]].sum(1)
    total = logsumexp(value)
    posterior = np.stack(
        [np.exp(logsumexp(np.where(paths == k, value[:, None], -np.inf), axis=0) - total) for k in range(3)], 1
    )
    return total, posterior, paths[value.argmax()], value.max()


@pytest.mark.parametrize("name", MODELS)
def test_enumeration_of_all_paths(name):
    model = MODELS[name]
    x = np.array(model.sample(8, rng=1), float)
    x[3] = np.nan
    total, posterior, path, best = by_enumeration(model, x)
    np.testing.assert_allclose(model.log_prob(x), total, rtol=1e-13)
    np.testing.assert_allclose(model.posterior(x), posterior, atol=1e-14)
    found, value = model.viterbi(x)
    np.testing.assert_array_equal(found, path)
    np.testing.assert_allclose(value, best, rtol=1e-13)
    np.testing.assert_allclose(model.filter(x)[-1], posterior[-1], atol=1e-14)


def test_several_sequences_are_added_up_and_cut_back():
    xs = [np.asarray(NORMALS.sample(n, rng=n)) for n in (3, 7, 1)]
    np.testing.assert_allclose(NORMALS.log_prob(xs), sum(float(NORMALS.log_prob(x)) for x in xs), rtol=1e-13)
    for x, found in zip(xs, NORMALS.posterior(xs), strict=True):
        np.testing.assert_allclose(found, NORMALS.posterior(x), atol=1e-14)
    paths, value = NORMALS.viterbi(xs)
    np.testing.assert_allclose(value, sum(float(NORMALS.viterbi(x)[1]) for x in xs), rtol=1e-13)
    assert [len(p) for p in paths] == [3, 7, 1]


SLOW = np.array([[1.0 - 1e-6, 1e-6, 0.0], [0.0, 1.0 - 1e-6, 1e-6], [1e-6, 0.0, 1.0 - 1e-6]])
ONWARD = np.array([[0.999, 0.001, 0.0], [0.0, 0.998, 0.002], [0.0, 0.0, 1.0]])  # never forgets where it is
STILL = np.eye(3)


def one_after_the_other(b, fresh, transition):
    """Filtered laws, log sizes and posterior laws by logarithms."""
    n, k = b.shape
    with np.errstate(divide="ignore"):
        a, start = np.log(transition), np.log(INITIAL)
    laws, sizes, after = np.empty((n, k)), np.empty(n), np.zeros((n, k))
    for t in range(n):
        law = b[t] + (start if fresh[t] else logsumexp(laws[t - 1][:, None] + a, axis=0))
        sizes[t] = logsumexp(law)
        laws[t] = law - sizes[t]
    for t in range(n - 2, -1, -1):
        if not fresh[t + 1]:
            after[t] = logsumexp(a + (b[t + 1] + after[t + 1])[None], axis=1)
            after[t] -= after[t].max()
    both = laws + after
    return np.exp(laws), sizes, np.exp(both - logsumexp(both, axis=1, keepdims=True))


@pytest.mark.parametrize("scale", [1.0, 400.0], ids=["by numbers", "by logarithms"])
@pytest.mark.parametrize(
    "transition", [TRANSITION, SLOW, ONWARD, STILL], ids=["forgets", "hardly forgets", "goes on", "never moves"]
)
def test_stretches_side_by_side_are_the_recursion_one_time_after_the_other(transition, scale):
    """Long lines are cut; also where the chain does not forget within a stretch, or ever. 1e-12 are 5,000 roundings."""
    n = stretches.padded_length(5000)
    random = np.random.default_rng(0)
    b = random.normal(size=(n, 3)) * (1e-3 if transition is SLOW else 1.0) * scale
    fresh = np.zeros(n, bool)
    fresh[[0, 1234]] = True
    count = stretches.stretches(n, 3)
    assert count > 8
    fresh_laid, inside = (stretches.laid_out(jnp.asarray(v), count) for v in (fresh, np.ones(n, bool)))
    laid = jnp.swapaxes(stretches.laid_out(jnp.asarray(b), count), 1, 2)
    chain = recursion.Chain(laid, jnp.asarray(transition), jnp.asarray(INITIAL), fresh_laid, inside)
    laws, sizes, states = one_after_the_other(b, fresh, transition)
    np.testing.assert_allclose(stretches.in_line(jax.jit(recursion.filtered)(chain)), laws, atol=1e-12)
    e = jax.jit(recursion.expected)(chain)
    np.testing.assert_allclose(stretches.in_line(e.states), states, atol=1e-12)
    np.testing.assert_allclose(e.log_likelihood, sizes.sum(), rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose(jax.jit(recursion.log_likelihood)(chain), sizes.sum(), rtol=1e-13, atol=1e-12)
    np.testing.assert_allclose((e.moves * transition).sum(), n - 2, rtol=1e-12)


def test_the_best_path_and_draws_across_stretches():
    """On 5,000 times: no path through the best one's neighbours is better, and draws move as the chain allows."""
    x = np.asarray(NORMALS.sample(5000, rng=4))
    path, value = NORMALS.viterbi(x)
    b = np.asarray(NORMALS.emissions.component_log_prob(x))
    with np.errstate(divide="ignore"):
        a, start = np.log(TRANSITION), np.log(INITIAL)
    best, before = start + b[0], []
    for t in range(1, len(x)):
        each = best[:, None] + a
        before.append(each.argmax(0))
        best = each.max(0) + b[t]
    expected = [int(best.argmax())]
    for row in reversed(before):
        expected.append(int(row[expected[-1]]))
    np.testing.assert_array_equal(path, expected[::-1])
    np.testing.assert_allclose(value, best.max(), rtol=1e-13)
    drawn = np.asarray(NORMALS.sample_states(x, (50,), rng=0))
    assert (TRANSITION[drawn[:, :-1], drawn[:, 1:]] > 0).all()
    share = (drawn[..., None] == np.arange(3)).mean(0)
    posterior = np.asarray(NORMALS.posterior(x))
    error = np.sqrt((posterior * (1 - posterior)).sum(0) / 50)  # of a sum over times, were they independent
    gap = np.abs((share - posterior).sum(0))
    assert (gap < 6 * 3 * error).all()  # neighbours hang together for fewer than nine times: 6 errors, 6e-9


def test_what_is_too_small_for_numbers_is_found_by_logarithms():
    """A chain that must be in state 0 at first, beside values that state 0 makes with probability e^−5000."""
    model = sf.HiddenMarkov([1.0, 0.0], [[0.5, 0.5], [0.0, 1.0]], sf.Normal([0.0, 100.0], 1.0))
    x = np.array([100.0, 100.0, 100.0])
    b = -0.5 * np.log(2 * np.pi) - 0.5 * (x[:, None] - np.array([0.0, 100.0])) ** 2
    by_hand = b[0, 0] + np.logaddexp(np.log(0.25) + b[1, 0] + b[2, 0], np.log(0.25) + b[1, 0] + b[2, 1])
    by_hand = np.logaddexp(by_hand, b[0, 0] + np.log(0.5) + b[1, 1] + b[2, 1])
    np.testing.assert_allclose(model.log_prob(x), by_hand, rtol=1e-14)
    np.testing.assert_allclose(model.posterior(x)[:, 0], [1.0, 0.0, 0.0], atol=1e-300)


def test_drawn_paths_have_the_posterior_law():
    """20,000 paths of 5 times: 15 shares within 5.6 standard errors, at a false-alarm rate of 3e-7."""
    x = np.asarray(NORMALS.sample(5, rng=3))
    posterior = np.asarray(NORMALS.posterior(x))
    paths = np.asarray(NORMALS.sample_states(x, (20_000,), rng=0))
    share = (paths[..., None] == np.arange(3)).mean(0)
    error = np.sqrt(posterior * (1 - posterior) / 20_000)
    assert (np.abs(share - posterior) <= 5.6 * error + 1e-12).all()
    pairs = (paths[:, 0] == 1) & (paths[:, 1] == 0)  # impossible
    assert not pairs.any()


def test_the_likelihood_has_derivatives():
    x = np.asarray(NORMALS.sample(50, rng=5))

    def value(loc):
        return sf.HiddenMarkov(INITIAL, TRANSITION, sf.Normal(loc, jnp.array([1.0, 0.5, 2.0]))).log_prob(x)

    at = jnp.array([0.0, 1.0, 3.0])
    posterior = NORMALS.posterior(x)
    by_hand = (posterior * (x[:, None] - at[None]) / jnp.array([[1.0, 0.25, 4.0]])).sum(0)  # Fisher's identity
    np.testing.assert_allclose(jax.grad(value)(at), by_hand, rtol=1e-10)


def test_derivatives_of_long_lines_are_those_of_short_ones():
    """Of all parameters, and second ones, over 3,000 times in stretches, against 150 sequences of 20 times that are not cut."""
    xs = [np.asarray(NORMALS.sample(20, rng=i)) for i in range(150)]

    def value(theta, x):
        loc, logits, start = theta
        moves = jax.nn.softmax(logits)
        return sf.HiddenMarkov(jax.nn.softmax(start), moves, sf.Normal(loc, jnp.array([1.0, 0.5, 2.0]))).log_prob(x)

    at = (jnp.array([0.0, 1.0, 3.0]), jnp.log(jnp.asarray(TRANSITION) + 0.1), jnp.log(jnp.asarray(INITIAL)))
    each = [jax.grad(value)(at, x) for x in xs[:3]]
    rest = jax.grad(lambda t: sum(value(t, x) for x in xs[3:6]))(at)
    six = jax.grad(value)(at, xs[:6])
    for a, *parts, b in zip(six, *each, rest, strict=True):
        np.testing.assert_allclose(a, sum(parts) + b, rtol=1e-10, atol=1e-10)
    step = 1e-5
    hessian = jax.jacfwd(jax.grad(lambda loc: value((loc, *at[1:]), xs)))(at[0])
    for i in range(3):
        e = step * jnp.eye(3)[i]
        up, down = (jax.grad(value)((at[0] + s * e, *at[1:]), xs)[0] for s in (1.0, -1.0))
        np.testing.assert_allclose(hessian[i], (up - down) / (2 * step), rtol=1e-6, atol=1e-4)


def test_forecast_and_stationary_law():
    x = np.asarray(NORMALS.sample(20, rng=2))
    far = NORMALS.forecast(x, 60)
    np.testing.assert_allclose(far.mean()[-1], NORMALS.stationary().mean(), rtol=1e-10)
    turns = sf.HiddenMarkov([1.0, 0.0], [[0.0, 1.0], [1.0, 0.0]], sf.Normal([0.0, 1.0], 1.0))
    np.testing.assert_allclose(turns.stationary().weights, [0.5, 0.5], rtol=1e-14)
    np.testing.assert_allclose(far.weights[0], np.asarray(NORMALS.filter(x))[-1] @ TRANSITION, rtol=1e-12)


def test_values_of_32_bits_under_a_chain_of_64():
    x = np.asarray(NORMALS.sample(500, rng=3)).astype(np.float32)
    wide = x.astype(float)
    assert float(NORMALS.log_prob(x)) == pytest.approx(float(NORMALS.log_prob(wide)), rel=1e-6)
    np.testing.assert_allclose(NORMALS.posterior(x), NORMALS.posterior(wide), atol=1e-5)
    assert NORMALS.viterbi(x)[0].tolist() == NORMALS.viterbi(wide)[0].tolist()
    assert NORMALS.sample_states(x, rng=0).shape == (500,)
    chain = sf.HiddenMarkov(
        *(np.asarray(p, np.float32) for p in (NORMALS.initial, NORMALS.transition)), NORMALS.emissions
    )
    assert float(chain.log_prob(wide)) == pytest.approx(float(NORMALS.log_prob(wide)), rel=1e-6)


def test_what_is_impossible_has_no_posterior():
    """A value that no state emits: probability 0, and no law of the states given it."""
    p = sf.HiddenMarkov([0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]], sf.Uniform(0.0, np.array([1.0, 2.0])))
    x = [[0.5, 5.0, 0.5], [1.5, 0.5]]
    assert float(p.log_prob(x)) == -np.inf
    assert np.isnan(p.posterior(x)[0]).all()
    np.testing.assert_allclose(p.posterior(x)[1], [[0.0, 1.0], [2.0 / 3.0, 1.0 / 3.0]], rtol=1e-14)
    filtered = p.filter(x)
    np.testing.assert_allclose(filtered[0][0], [2.0 / 3.0, 1.0 / 3.0], rtol=1e-14)
    assert np.isnan(filtered[0][1:]).all()


def test_bad_input():
    with pytest.raises(ValueError, match="forecasts go on from one sequence, got a list of 2"):
        NORMALS.forecast([[0.1], [0.2, 0.3]], 2)
    with pytest.raises(ValueError, match="must lead to one stationary law"):
        sf.HiddenMarkov([0.5, 0.5], np.eye(2), sf.Normal([0.0, 1.0], 1.0)).stationary()
    with pytest.raises(ValueError, match=r"HiddenMarkov\.initial"):
        sf.HiddenMarkov([0.5, 0.4], np.eye(2), sf.Normal([0.0, 1.0], 1.0))
    with pytest.raises(ValueError, match="transition must have shape"):
        sf.HiddenMarkov([0.5, 0.5], np.eye(3), sf.Normal([0.0, 1.0], 1.0))
    with pytest.raises(ValueError, match="must be 2 distributions"):
        sf.HiddenMarkov([0.5, 0.5], np.eye(2), sf.Normal([0.0, 1.0, 2.0], 1.0))
    with pytest.raises(DataError, match="empty"):
        NORMALS.log_prob(np.zeros(0))
    with pytest.raises(DataError, match="time 1 of sequence 1"):
        NORMALS.log_prob([np.zeros(2), np.array([0.0, np.inf])])
    with pytest.raises(DataError, match="whole or not at all"):
        VECTORS.log_prob(np.array([[0.0, np.nan]]))
    with pytest.raises(ValueError, match="shape"):
        VECTORS.log_prob(np.zeros(3))
