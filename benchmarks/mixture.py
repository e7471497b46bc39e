"""Gaussian mixtures beside scikit-learn: one step of EM, and the loop over sizes and covariances, in one run.

    python benchmarks/mixture.py [steps] [selection] [stream]

Ratios of medians in one process. On a machine with other work scikit-learn's BLAS threads wait for each other, and the ratio
says more about that than about the algorithms (19 to 311 were seen); a like for like one is on one core:

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/mixture.py steps
"""

import resource
import sys
import time
import warnings

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

import suffice as sf
from suffice.models.mixture.model import Model, Params
from suffice.models.mixture.normal import NormalComponents
from suffice.models.mixture.rows import rows_of
from suffice.models.mixture.structures import structure


def clusters(k, d, n, seed=0):
    """Rows of k overlapping normal clusters, and their parameters."""
    rng = np.random.default_rng(seed)
    means, roots = 3.0 * rng.normal(size=(k, d)), 0.3 * rng.normal(size=(k, d, d)) + np.eye(d)
    z = rng.integers(0, k, n)
    return (
        means[z] + np.einsum("nij,nj->ni", roots[z], rng.normal(size=(n, d))),
        means,
        roots @ np.swapaxes(roots, 1, 2),
    )


def median(work, times):
    work()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return float(np.median(taken))


def steps(k=8, d=16, n=200_000):
    """One E-step and M-step from the same parameters."""
    x, means, covariances = clusters(k, d, n)
    diagonal = np.einsum("kii->ki", covariances)
    spherical = diagonal.mean(1)
    forms = {
        "full": (covariances, covariances),
        "tied": (covariances.mean(0), np.broadcast_to(covariances.mean(0), covariances.shape)),
        "diag": (diagonal, diagonal[:, :, None] * np.eye(d)),
        "spherical": (spherical, spherical[:, None, None] * np.eye(d)),
    }
    rows = rows_of(x, None, "error")
    for kind, (theirs, ours) in forms.items():
        model = Model((NormalComponents(k, (0, d), structure(kind), rows.look.mean, rows.look.covariance),))
        root = np.linalg.cholesky(ours)[None]
        p = Params(np.full((1, k), -np.log(k)), ({"loc": means[None] - rows.look.mean, "root": root},))
        gm = GaussianMixture(k, covariance_type=kind)

        def step(model=model, p=p):
            return model.maximise(p, rows.evaluate(model, p))

        def other(gm=gm, theirs=theirs, kind=kind):
            gm.weights_, gm.means_ = np.full(k, 1.0 / k), means
            gm.precisions_cholesky_ = _compute_precision_cholesky(theirs, kind)
            gm._m_step(x, gm._e_step(x)[1])

        a, b = median(step, 7), median(other, 3)
        print(f"one step, K={k} D={d} N={n:,} {kind}: {a:.3f} s, scikit-learn {b:.3f} s, ratio {b / a:.1f}")


def selection(n=20_000, d=5):
    """1 to 9 components times four covariances."""
    x, *_ = clusters(4, d, n)
    shapes = ("full", "tied", "diag", "spherical")
    begin = time.perf_counter()
    ours = sf.select_mixture(sf.MultivariateNormal, range(1, 10), x, covariance=shapes)
    a = time.perf_counter() - begin
    print(f"1:9 x 4 on {n:,} x {d}: {a:.1f} s", flush=True)
    begin = time.perf_counter()
    values = {}
    for kind in shapes:
        for k in range(1, 10):
            gm = GaussianMixture(k, covariance_type=kind, random_state=0).fit(x)
            values[k, kind] = gm.bic(x)
    b = time.perf_counter() - begin
    best = min(values, key=values.__getitem__)
    print(
        f"1:9 x 4 on {n:,} x {d}, ours of 10 starts: {a:.1f} s, {ours}; scikit-learn of 1 and its loose tol {b:.1f} s, {best} {values[best]:.6g}; {b / a:.1f}"
    )


def stream(n=10_000_000, d=4, block=250_000):
    """Rows made anew at each pass, never all in memory."""

    def chunks():
        for seed in range(n // block):
            yield clusters(3, d, block, seed=0)[0] if seed == 0 else _more(d, block, seed)

    def _more(d, block, seed):
        rng = np.random.default_rng(seed)
        _, means, covariances = clusters(3, d, 1)
        z = rng.integers(0, 3, block)
        return means[z] + np.einsum("nij,nj->ni", np.linalg.cholesky(covariances)[z], rng.normal(size=(block, d)))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    begin = time.perf_counter()
    fit = sf.fit_mixture(sf.MultivariateNormal, 3, chunks, starts=4, tolerance=1e-6)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"stream of {fit.count:,.0f} x {d}: {fit.passes} passes, {time.perf_counter() - begin:.0f} s, converged {fit.converged}; "
        f"peak {before:.2f} to {peak:.2f} GB, the rows are {n * d * 8 / 1e9:.2f} GB"
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in sys.argv[1:] or ("steps", "selection", "stream"):
        {"steps": steps, "selection": selection, "stream": stream}[name]()
