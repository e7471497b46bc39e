"""Draw the figures of docs/textbook/sampling.md, one for each row: make docs, or with names of rows (P7 P15)."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import altair as alt
import jax
import jax.numpy as jnp
import numpy as np
import vl_convert

import suffice as sf
from suffice.report import charts
from suffice.sampling import diagnostics
from suffice.sampling.leapfrog import Phase, energy, leapfrog

HERE = Path(__file__).parent / "sampling"
_LARGEST = 120_000  # bytes of an SVG
FIGURES: dict[str, Callable[[], Any]] = {}


def figure(function):
    """The table of figures, by row."""
    FIGURES[function.__name__.upper()] = function
    return function


def lines(names, xs, ys, x, y, **more):
    """Curves with axes named x and y; ``x_log``, ``y_log``, ``y_domain``, ``points``."""
    return charts.lines(
        names, [np.asarray(v) for v in xs], [np.asarray(v) for v in ys],
        charts.axis("x", x, log=more.get("x_log", False)),
        charts.axis("y", y, log=more.get("y_log", False), domain=more.get("y_domain")), points=more.get("points", False),
    ).properties(width=360, height=220)  # fmt: skip


def cloud(names, points, x, y, box=None):
    """Points (n, 2) of each name, those outside the box left out."""
    kept = [p if box is None else p[np.all(np.abs(p - np.mean(box, 1)) <= 0.5 * np.ptp(box, 1), 1)] for p in points]
    family, at = np.repeat(np.asarray(names, object), [len(p) for p in kept]), np.concatenate(kept)
    domains = (None, None) if box is None else box
    axes = charts.axis("x", x, domain=domains[0]), charts.axis("y", y, domain=domains[1])
    legend = {"title": None, "orient": "top"} if len(names) > 1 else None
    colour = alt.Color("family:N", sort=list(names), legend=legend)
    mark = alt.Chart(charts.rows(x=at[:, 0], y=at[:, 1], family=family)).mark_circle(size=14, opacity=0.7, clip=True)
    return mark.encode(x=alt.X(**axes[0]), y=alt.Y(**axes[1]), color=colour).properties(width=360, height=240)


def beside(name, draws, grid, density):
    """Histogram of draws beside a density."""
    edges = np.linspace(grid[0], grid[-1], 41)
    heights = np.histogram(np.asarray(draws), edges)[0] / (np.size(draws) * np.diff(edges))
    middle = 0.5 * (edges[1:] + edges[:-1])
    return lines(["density", name], [grid, middle], [density, heights], "x", "Density")


def walk(kernel, f, start, steps, seed=0):
    """Positions of one chain, (steps + 1, d)."""
    algorithm = kernel.build(f)

    def step(state, key):
        state, _ = algorithm.step(key, state)
        return state, state.position

    begin = algorithm.init(jnp.asarray(start))
    _, path = jax.jit(lambda s: jax.lax.scan(step, s, jax.random.split(jax.random.key(seed), steps)))(begin)
    return np.concatenate([np.asarray(start, float)[None], np.asarray(path)])


def correlations(x, lags):
    """Autocorrelation of draws (chain, draw)."""
    x = np.asarray(x) - np.mean(x)
    return [float((x[:, : x.shape[1] - k] * x[:, k:]).mean() / x.var()) for k in lags]


@figure
def p1():
    """The error of the mean falls as σ/√L; the reported standard error tells it."""
    f, exact, sizes = lambda x: jnp.exp(0.5 * x), np.exp(0.125), 2 ** np.arange(7, 17, 3)
    found = [[sf.expectation(f, sf.Normal(), n=int(n), rng=r) for r in range(40)] for n in sizes]
    errors = [np.sqrt(np.mean([(e.value - exact) ** 2 for e in row])) for row in found]
    told = [np.sqrt(np.mean([e.standard_error**2 for e in row])) for row in found]
    law = np.sqrt((np.exp(0.5) - np.exp(0.25)) / sizes)
    names = ["true error, 40 runs", "reported", "σ/√L"]
    return lines(names, [sizes] * 3, [errors, told, law], "Draws L", "Error of the mean", x_log=True, y_log=True)


@figure
def p2():
    """Draws by inversion of a density known but for its constant."""
    p = sf.from_density(lambda x: -jnp.cosh(x))
    grid = np.linspace(-3.0, 3.0, 121)
    return beside("draws by inversion", sf.inverse_transform(p).sample(200_000, rng=0), grid, p.prob(grid))


@figure
def p3():
    """The gamma law of shape 3.7 under the tangent of a uniform angle, scaled and shifted."""
    a, grid = 3.7, np.linspace(0.0, 14.0, 121)
    p, q = sf.Gamma(a, 1.0), sf.Cauchy(a - 1.0, np.sqrt(2.0 * a - 1.0))
    found = sf.rejection(p.log_prob, q, 1000, rng=0)
    names = ["bound k q, Cauchy", "gamma"]
    return lines(names, [grid] * 2, [np.exp(found.log_bound) * q.prob(grid), p.prob(grid)], "x", "Density")


@figure
def p4():
    """Pairs of the polar method: round, and normal on both axes."""
    return cloud(["pairs"], [np.asarray(sf.box_muller(700, rng=0))], "first of a pair", "second of it")


@figure
def p5():
    """y = μ + L z, with a covariance of full rank and with one of rank one."""
    laws = [sf.MultivariateNormal([0.0, 0.0], c) for c in ([[1.0, 0.8], [0.8, 1.0]], [[1.0, -0.5], [-0.5, 0.25]])]
    draws = [np.asarray(p.sample(350, rng=1)) for p in laws]
    return cloud(["full rank", "singular"], draws, "y₁", "y₂")


@figure
def p6():
    """Points even under k q: those under p~ are kept, a share Z/k."""
    log_p, q = lambda x: jnp.where(x > 0, 2.7 * jnp.log(jnp.abs(x)) - x, -jnp.inf), sf.Cauchy(2.7, 2.53)
    found = sf.rejection(log_p, q, 10, rng=0)
    x = np.asarray(q.sample(900, rng=1))
    height = np.random.default_rng(0).random(900) * np.exp(found.log_bound) * np.asarray(q.prob(x))
    kept = height <= np.exp(np.asarray(log_p(x)))
    points = np.column_stack([x, height])
    return cloud(["kept", "rejected"], [points[kept], points[~kept]], "x", "Height", [(-6.0, 14.0), (0.0, 2.2)])


@figure
def p7():
    """The envelope of tangents closes in."""
    sampler = sf.adaptive_rejection(lambda x: 1.5 * jnp.log(x) - x, lower=0.0)
    return sf.plot(sampler)


@figure
def p8():
    """A random walk: E[z²] = τ/2."""
    steps = np.random.default_rng(0).choice([-1, 0, 0, 1], size=(4000, 100)).cumsum(1)
    times = np.arange(1, 101)
    names = ["mean of z², 4,000 walks", "τ/2"]
    first = lines(names, [times] * 2, [(steps**2).mean(0), times / 2], "Time τ", "Squared distance")
    sizes = np.array([0.1, 0.4, 1.2, 2.4, 5.0, 20.0])
    times = [
        diagnostics.autocorrelation_time(
            walk(sf.RandomWalk(s, 1.0, metric="unit"), lambda v: -0.5 * (v**2).sum(), [0.0], 100_000)[None, 1:, 0]
        )
        for s in sizes
    ]  # fmt: skip
    second = lines(
        ["random walk on a normal law"], [sizes], [times], "Step", "Steps per independent draw", x_log=True, y_log=True
    )
    return alt.hconcat(first, second).resolve_scale(color="independent", strokeDash="independent")


@figure
def p9():
    """Effective sample size and Pareto k of importance sampling against the width of the proposal."""
    scales = np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0])
    found = [sf.importance(lambda x: -0.5 * x**2, sf.Normal(0.0, float(s)), n=4000, rng=0) for s in scales]
    sizes, shapes = [f.ess / 4000 for f in found], [float(np.clip(f.pareto_k, -0.5, 1.5)) for f in found]
    names = ["effective share of the draws", "Pareto k", "0.7"]
    ends = scales[[0, -1]]
    return lines(names, [scales, scales, ends], [sizes, shapes, [0.7, 0.7]], "Scale of the proposal", "Value")


@figure
def p10():
    """Flows between five points: as many go from i to j as come back."""
    weights, n = np.array([1.0, 2.0, 0.5, 3.0, 1.5]), 200_000
    table = jnp.asarray(np.random.default_rng(0).dirichlet(5.0 * np.ones(5), size=5))
    start = np.random.default_rng(1).choice(5, p=weights / weights.sum(), size=n)
    at = lambda v: v[0].astype(int)  # noqa: E731
    points = []
    for density in (lambda to, begin: jnp.log(table[at(begin), at(to)]), None):
        propose = lambda key, v: jax.random.categorical(key, jnp.log(table[at(v)]), shape=(1,)).astype(float)  # noqa: E731
        algorithm = sf.MetropolisHastings(propose, density).build(lambda v: jnp.log(jnp.asarray(weights)[at(v)]))
        step = jax.jit(jax.vmap(lambda k, v, algorithm=algorithm: algorithm.step(k, algorithm.init(v))[0].position))
        end = np.asarray(step(jax.random.split(jax.random.key(2), n), start[:, None].astype(float)))[:, 0].astype(int)
        counts = np.zeros((5, 5))
        np.add.at(counts, (start, end), 1.0 / n)
        i, j = np.triu_indices(5, 1)
        points.append(np.column_stack([counts[i, j], counts[j, i]]))
    top = 1.05 * max(p.max() for p in points)
    names = ["with the ratio of proposals", "without it: broken"]
    dots = cloud(names, points, "Flow i to j", "Flow j to i", [(0.0, top), (0.0, top)]).mark_circle(
        size=60, opacity=0.9
    )
    line = (
        alt.Chart(charts.rows(x=[0.0, top], y=[0.0, top]))
        .mark_line(strokeWidth=1, color="#5f6063")
        .encode(x="x:Q", y="y:Q")
    )
    return alt.layer(line, dots)


@figure
def p11():
    """Two separated blocks: Gibbs sampling stays in its own, and R-hat tells."""

    def log_density(p):
        inside = (p["a"] > 0) == (p["b"] > 0)
        return jnp.where(inside & (abs(p["a"]) < 1) & (abs(p["b"]) < 1), 0.0, -jnp.inf)

    def side(other):
        return lambda key, p: jnp.sign(p[other]) * jax.random.uniform(key)

    starts = [{"a": s * np.array(0.5), "b": s * np.array(0.5)} for s in (1.0, -1.0)]
    kernel = sf.Gibbs({"a": side("b"), "b": side("a")})
    chains = sf.sample(log_density, starts, kernel=kernel, chains=2, draws=300, warmup=0, rng=0, quiet=True)
    names = [f"chain {c + 1}, R-hat {chains.rhat['a']:.2f}" for c in range(2)]
    points = [np.column_stack([chains.draws["a"][c], chains.draws["b"][c]]) for c in range(2)]
    return cloud(names, points, "a", "b", [(-1.1, 1.1), (-1.1, 1.1)])


@figure
def p13():
    """Over-relaxation at a correlation of 0.95: the walk along the valley is suppressed."""
    rho, lags = 0.95, np.arange(61)
    f = lambda p: -0.5 * (p["a"] ** 2 - 2 * rho * p["a"] * p["b"] + p["b"] ** 2) / (1 - rho**2)  # noqa: E731

    def found(alpha):
        given = lambda other: lambda p: (rho * p[other], (1 - rho**2) ** 0.5)  # noqa: E731
        kernel = sf.Gibbs({"a": sf.OverRelaxed("a", given("b"), alpha), "b": sf.OverRelaxed("b", given("a"), alpha)})
        chains = sf.sample(f, {"a": 0.0, "b": 0.0}, kernel=kernel, warmup=100, draws=20_000, rng=0, quiet=True)
        return correlations(chains.draws["a"] + chains.draws["b"], lags)

    alphas = (0.0, -0.5, -0.8)
    names = ["Gibbs sampling", "α = −0.5", "α = −0.8"]
    return lines(names, [lags] * 3, [found(a) for a in alphas], "Lag", "Autocorrelation of a + b")


@figure
def p14():
    """Slice sampling of two peaks that step size alone would not reach."""
    log_p = lambda x: jnp.logaddexp(-0.5 * x**2, -2.0 * (x - 4.0) ** 2)  # noqa: E731
    p, grid = sf.from_density(log_p), np.linspace(-4.0, 6.0, 121)
    chains = sf.sample(log_p, 0.0, kernel=sf.Slice(), draws=20_000, rng=0, quiet=True)
    return beside("draws by slices", chains.draws, grid, p.prob(grid))


@figure
def p15():
    """Energy error of the leapfrog after a fixed time: quadratic in the step."""
    f = jax.value_and_grad(lambda v: -0.5 * v[0] ** 2 - 0.5 * (v[1] - 0.5 * v[0] ** 2) ** 2)
    z, r, sizes, errors = jnp.array([0.5, -1.0]), jnp.array([1.0, 0.4]), 2.0 ** -np.arange(2.0, 9.0), []
    for size in sizes:
        begin = Phase(z, r, *f(z))
        end = jax.lax.fori_loop(0, round(2.0 / size), lambda _, at, e=size: leapfrog(f, jnp.ones(2), e, at), begin)
        errors.append(abs(float(energy(end) - energy(begin))))
    names = ["leapfrog", "slope 2"]
    return lines(
        names,
        [sizes] * 2,
        [errors, errors[-1] * (sizes / sizes[-1]) ** 2],
        "Step ε",
        "Energy error",
        x_log=True,
        y_log=True,
    )


@figure
def p16():
    """A normal law of correlation 0.98: forty steps of a random walk, and of Hamiltonian Monte Carlo."""
    precision = jnp.linalg.inv(jnp.array([[1.0, 0.98], [0.98, 1.0]]))
    f = lambda v: -0.5 * v @ precision @ v  # noqa: E731
    kernels = sf.RandomWalk(0.3, 1.0, metric="unit"), sf.HMC(0.15, 1.0, metric="unit", length=2.0)
    paths = [walk(k, f, [-1.5, -1.55], 40, seed=1) for k in kernels]
    names = ["random walk", "Hamiltonian Monte Carlo"]
    axes = charts.axis("x", "z₁", domain=(-3.0, 3.0)), charts.axis("y", "z₂", domain=(-3.0, 3.0))
    chart = charts.outlines(dict(zip(names, paths, strict=True)), *axes)
    return chart.mark_line(strokeWidth=1.0, point={"size": 20}).properties(width=320, height=320)


@figure
def p17():
    """log Z of exp(−x⁴/4) in two dimensions: five ways, with their standard errors, beside the truth."""
    log_p = lambda x: -0.25 * jnp.sum(x**4)  # noqa: E731
    base, kernel = sf.Independent(sf.Normal(np.zeros(2), 1.2)), sf.RandomWalk(step_size=1.0)
    p = sf.from_density(lambda x: -0.25 * x**4)
    draws = p.sample((2, 500, 2), rng=0)
    found = {
        "importance": sf.importance(log_p, base, rng=1).log_normaliser,
        "bridge": sf.bridge_sampling(log_p, draws, rng=1),
        "annealed": sf.annealed_importance(log_p, base, kernel, n=300, temperatures=30, rng=1),
        "thermodynamic": sf.thermodynamic_integration(log_p, base, kernel, n=300, temperatures=30, rng=1),
    }
    rows = [
        {"how": k, "value": float(e.value), "low": float(e.value - 2 * e.standard_error), "high": float(e.value + 2 * e.standard_error)}
        for k, e in found.items()
    ]  # fmt: skip
    scale = alt.Scale(zero=False, padding=10)
    base_chart = alt.Chart(alt.Data(values=rows)).encode(y=alt.Y("how:N", title=None))
    bars = base_chart.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title="log Z ± 2 standard errors", scale=scale), x2="high:Q"
    )
    dots = base_chart.mark_circle(size=60).encode(x=alt.X("value:Q", scale=scale))
    truth = [{"value": 2.0 * float(p.log_normaliser)}]
    line = (
        alt.Chart(alt.Data(values=truth))
        .mark_rule(strokeDash=[4, 3], color="#d55e00")
        .encode(x=alt.X("value:Q", scale=scale))
    )
    return alt.layer(line, bars, dots).properties(width=360, height=140)


def main(names):
    """Write the figures with these names, or all."""
    for name in names or FIGURES:
        chart = FIGURES[name]()
        told = chart.to_dict() if chart.config is not alt.Undefined else chart.configure(**charts.theme()).to_dict()
        svg = vl_convert.vegalite_to_svg(told)
        if len(svg) < _LARGEST:
            (HERE / f"{name}.svg").write_text(svg)
        else:  # clouds of points
            (HERE / f"{name}.png").write_bytes(vl_convert.vegalite_to_png(told, scale=1.5))
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
