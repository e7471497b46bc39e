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
import suffice.sklearn
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
    """1 to 9 components times four covariances: by defaults, and at equal starts and tolerances in log-likelihood for each row."""
    x, *_ = clusters(4, d, n)
    shapes, sizes = ("full", "tied", "diag", "spherical"), range(1, 10)

    def loop(kind, **how):
        """Seconds, iterations and the best BIC."""
        begin, iterations, values = time.perf_counter(), 0, {}
        for shape in shapes:
            for k in sizes:
                gm = kind(k, covariance_type=shape, random_state=0, **how).fit(x)
                values[k, shape], iterations = gm.bic(x), iterations + gm.n_iter_
        best = min(values, key=values.__getitem__)
        return time.perf_counter() - begin, iterations, f"{best} {values[best]:.8g}"

    begin = time.perf_counter()
    ours = sf.select_mixture(sf.MultivariateNormal, sizes, x, covariance=shapes)
    a = time.perf_counter() - begin
    print(f"1:9 x 4 on {n:,} x {d} by defaults: ours of 10 starts {a:.1f} s, {ours}", flush=True)
    for name, how in {
        "1 start, tol 1e-3 (scikit-learn's default)": {},
        "10 starts, tol 1e-3": {"n_init": 10},
        "1 start, tol 1e-9": {"tol": 1e-9, "max_iter": 20_000},
    }.items():
        found = {kind: loop(kind, **how) for kind in (suffice.sklearn.GaussianMixture, GaussianMixture)}
        for kind, (seconds, iterations, best) in found.items():
            print(
                f"  {name}, {kind.__module__.split('.')[0]}: {seconds:.1f} s, {iterations} iterations, {best}",
                flush=True,
            )
        b = found[GaussianMixture][0]
        print(
            f"    ratio {b / found[suffice.sklearn.GaussianMixture][0]:.1f}, to our selection {b / a:.1f}", flush=True
        )
    begin, passes = time.perf_counter(), 0
    for shape in shapes:
        for k in sizes:
            passes += sf.fit_mixture(sf.MultivariateNormal, k, x, covariance=shape, starts=1).passes
    print(f"  fit_mixture of 1 start to 1e-10 of the maximum: {time.perf_counter() - begin:.1f} s, {passes} passes")


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
