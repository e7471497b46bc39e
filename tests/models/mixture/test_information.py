"""Louis' identity where covariances share orientation or shape, beside the Hessian of the log-likelihood itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import suffice as sf

K, D = 2, 3
RNG = np.random.default_rng(3)
TURN = np.linalg.qr(RNG.normal(size=(D, D)))[0]
X = np.concatenate(
    [
        RNG.normal(size=(120, D)) * [0.4, 1.0, 2.0] @ TURN.T,
        RNG.normal(size=(180, D)) * [0.7, 1.5, 3.5] @ TURN.T + [2.0, -1.0, 1.5],
    ]
)


def spectra(name, covariances):
    """Logarithms of volumes (1 or K), of shapes less their mean (1 or K, D), orientations (1 or K, D, D)."""
    if name[2] == "E":
        turns = np.linalg.eigh(covariances.sum(0))[1][None]
        values = np.log(np.diagonal(turns.swapaxes(1, 2) @ covariances @ turns, axis1=1, axis2=2))
    else:
        values, turns = np.linalg.eigh(covariances)
        values = np.log(values)
    volumes = values.mean(1)
    shapes = values - volumes[:, None]
    return volumes[: 1 if name[0] == "E" else K], shapes[: 1 if name[1] == "E" else K], turns


@pytest.mark.parametrize("name", ["EEV", "VEV", "EVE", "VVE"])
def test_covariance_is_that_of_the_hessian(name):
    """Orientations by matrix exponentials, shapes by all logarithms but the last: other coordinates than the library's."""
    fit = sf.fit_mixture(sf.MultivariateNormal, K, X, covariance=name, starts=4, tolerance=1e-11)
    assert fit.converged
    means = np.stack([np.asarray(c.loc) for c in fit.components])
    covariances = np.stack([np.asarray(c.covariance()) for c in fit.components])
    volumes, shapes, turns = spectra(name, covariances)
    free = [K - 1, K * D, volumes.size, shapes[:, 1:].size, len(turns) * 3]
    ends = np.cumsum(free)[:-1]

    def parameters(theta):
        logit, move, volume, shape, turn = jnp.split(theta, ends)
        logits = jnp.concatenate([jnp.log(fit.weights[:1] / fit.weights[1:]) + logit, jnp.zeros(1)])
        shape = shapes + jnp.pad(shape.reshape(-1, D - 1), ((0, 0), (0, 1)))
        logs = (volumes + volume.reshape(volumes.shape))[:, None] + shape - shape.mean(1, keepdims=True)
        skew = [jnp.array([[0.0, a, b], [-a, 0.0, c], [-b, -c, 0.0]]) for a, b, c in turn.reshape(-1, 3)]
        turned = jnp.stack([t @ jax.scipy.linalg.expm(s) for t, s in zip(turns, skew, strict=True)])
        spread = (turned * jnp.exp(logs)[:, None]) @ jnp.swapaxes(turned, 1, 2)
        return jax.nn.softmax(logits), means + move.reshape(K, D), jnp.broadcast_to(spread, (K, D, D))

    def log_likelihood(theta):
        weights, m, s = parameters(theta)
        each = []
        for k in range(K):
            root = jnp.linalg.cholesky(s[k])
            z = jax.scipy.linalg.solve_triangular(root, (X - m[k][None]).T, lower=True)
            constant = jnp.log(weights[k]) - jnp.log(jnp.diagonal(root)).sum() - 0.5 * D * np.log(2.0 * np.pi)
            each.append(constant - 0.5 * (z * z).sum(0))
        return jax.nn.logsumexp(jnp.stack(each), axis=0).sum()

    def told(theta):
        weights, m, s = parameters(theta)
        return jnp.concatenate([weights, *(jnp.concatenate([m[k], s[k][np.tril_indices(D)]]) for k in range(K))])

    zero = np.zeros(sum(free))
    assert float(log_likelihood(zero)) == pytest.approx(fit.log_likelihood, rel=1e-12)
    jacobian = np.asarray(jax.jacfwd(told)(zero))
    expected = jacobian @ np.linalg.inv(-np.asarray(jax.hessian(log_likelihood)(zero))) @ jacobian.T
    size = np.sqrt(np.diagonal(expected))
    assert len(size) == len(fit.parameter_names)
    np.testing.assert_allclose(fit.covariance, expected, atol=1e-6 * np.outer(size, size).max(), rtol=1e-6)
    np.testing.assert_allclose(list(fit.standard_errors.values()), size, rtol=1e-6)
