"""Gaussian mixtures beside scikit-learn: one step of EM, and the loop over sizes and covariances, in one run.

    python benchmarks/mixture.py [steps] [selection] [stream]

Ratios of medians in one process, of the clock and of the processors (in brackets). On a machine with other work scikit-learn's BLAS threads wait for each other, and the ratio
says more about that than about the algorithms (19 to 311 were seen); a like for like one is on one core:

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 taskset -c 0 python benchmarks/mixture.py steps
"""

import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
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
    """Seconds of the clock, and of the processors."""
    work()
    taken = []
    for _ in range(times):
        begin = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
    return np.median(taken, axis=0).tolist()


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

        (a, p_a), (b, p_b) = median(step, 7), median(other, 3)
        print(
            f"one step, K={k} D={d} N={n:,} {kind}: {a:.3f} s, scikit-learn {b:.3f} s, ratio {b / a:.1f}; "
            f"of the processors {p_a:.3f}, {p_b:.3f}, {p_b / p_a:.1f}"
        )


def selection(n=20_000, d=5):
    """1 to 9 components times four covariances: by defaults, and at equal starts and tolerances in log-likelihood for each row."""
    x, *_ = clusters(4, d, n)
    shapes, sizes = ("full", "tied", "diag", "spherical"), range(1, 10)

    def loop(kind, kinds=shapes, **how):
        """Seconds, iterations and the best BIC."""
        begin, used, iterations, values = time.perf_counter(), time.process_time(), 0, {}
        for shape in kinds:
            for k in sizes:
                gm = kind(k, covariance_type=shape, random_state=0, **how).fit(x)
                values[k, shape], iterations = gm.bic(x), iterations + gm.n_iter_
        best = min(values, key=values.__getitem__)
        return time.perf_counter() - begin, time.process_time() - used, iterations, f"{best} {values[best]:.8g}"

    begin, used = time.perf_counter(), time.process_time()
    ours = sf.select_mixture(sf.MultivariateNormal, sizes, x, covariance=shapes)
    a, p_a = time.perf_counter() - begin, time.process_time() - used
    print(f"1:9 x 4 on {n:,} x {d} by defaults: ours of 10 starts {a:.1f} ({p_a:.1f}) s, {ours}", flush=True)
    for name, how in {
        "1 start, tol 1e-3 (scikit-learn's default)": {},
        "10 starts, tol 1e-3": {"n_init": 10},
        "full, 1 start, tol 1e-9": {"kinds": ("full",), "tol": 1e-9, "max_iter": 20_000},
    }.items():
        found = {kind: loop(kind, **how) for kind in (suffice.sklearn.GaussianMixture, GaussianMixture)}
        for kind, (seconds, used, iterations, best) in found.items():
            who = kind.__module__.split(".")[0]
            print(f"  {name}, {who}: {seconds:.1f} ({used:.1f}) s, {iterations} iterations, {best}", flush=True)
        (b, p_b), (c, p_c) = found[GaussianMixture][:2], found[suffice.sklearn.GaussianMixture][:2]
        print(f"    ratios {b / c:.1f} ({p_b / p_c:.1f}), to our selection {b / a:.1f} ({p_b / p_a:.1f})", flush=True)
    begin, used, passes = time.perf_counter(), time.process_time(), 0
    for k in sizes:
        passes += sf.fit_mixture(sf.MultivariateNormal, k, x, starts=1).passes
    a, p_a = time.perf_counter() - begin, time.process_time() - used
    print(f"  full, fit_mixture of 1 start to 1e-10 of the maximum: {a:.1f} ({p_a:.1f}) s, {passes} passes")


def written(path, n, k=3, d=16, block=250_000):
    """A Parquet file of n rows, made a block at a time."""
    _, means, covariances = clusters(k, d, 1)
    means, roots, names = 0.2 * means, np.linalg.cholesky(covariances), [f"x{i}" for i in range(d)]
    schema = pa.schema([(name, pa.float64()) for name in names])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for seed in range(n // block):
            rng = np.random.default_rng(seed)
            z = rng.integers(0, k, block)
            x = means[z] + np.einsum("nij,nj->ni", roots[z], rng.normal(size=(block, d)))
            writer.write_table(pa.table(dict(zip(names, x.T, strict=True)), schema=schema))


def peak():
    """Largest memory of the process so far, MB (Linux; ru_maxrss would begin with that of the process which started it)."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1e3


def read(path):
    """A fit to a file in a process of its own: memory before, having fitted a few rows, and at the end."""
    sf.fit_mixture(sf.MultivariateNormal, 3, clusters(3, 16, 5000)[0], starts=4)
    base, begin = peak(), time.perf_counter()
    fit = sf.fit_mixture(sf.MultivariateNormal, 3, sf.scan_table(path), starts=4, tolerance=1e-6)
    print(
        f"  {fit.count:,.0f} rows, {os.path.getsize(path) / 1e6:,.0f} MB: {fit.passes} passes, {time.perf_counter() - begin:.0f} s, "
        f"converged {fit.converged}; peak memory {base:.0f} MB before, {peak():.0f} MB after",
        flush=True,
    )


def stream(d=16):
    """Files of 1e6 and 1e7 rows, each read in a process of its own."""
    print(f"streams of {d} columns, 3 components")
    with tempfile.TemporaryDirectory() as folder:
        for n in (1_000_000, 10_000_000):
            path = os.path.join(folder, f"{n}.parquet")
            written(path, n)
            subprocess.run([sys.executable, __file__, "read", path], check=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["read"]:
        read(sys.argv[2])
    else:
        for name in sys.argv[1:] or ("steps", "selection", "stream"):
            {"steps": steps, "selection": selection, "stream": stream}[name]()
