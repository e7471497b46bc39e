"""Write docs/catalogue.md: every family with its formula, parameters, moments and a picture. Run: make docs"""

from dataclasses import MISSING, fields
from pathlib import Path

import altair as alt
import numpy as np
import vl_convert

import suffice as sf
from suffice.distributions.catalogue import CATALOGUE
from suffice.distributions.declaration import public_name

HERE = Path(__file__).parent
# where values taken from the domains would not fit together, or would not show the family at its best
MEMBERS = {
    "Hypergeometric": [{"population": 50, "successes": m, "draws": 10} for m in (5, 25, 40)],
    "DiscreteUniform": [{"low": 0, "high": high} for high in (3, 6, 9)],
    "Triangular": [{"low": 0.0, "high": 1.0, "peak": peak} for peak in (0.1, 0.5, 0.9)],
    "LogUniform": [{"low": 1.0, "high": high} for high in (3.0, 6.0, 9.0)],
    "Uniform": [{"low": low, "high": 2.0} for low in (-1.0, 0.0, 1.0)],
    "Categorical": [{"logits": np.array(v)} for v in ([0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.5, -1.0])],
    "Bernoulli": [{"logits": v} for v in (-1.0, 0.0, 2.0)],
    "LogNormal": [{"loc": 0.0, "scale": s} for s in (0.25, 0.5, 1.0)],
    "F": [{"df1": df1, "df2": 8.0} for df1 in (1.0, 4.0, 20.0)],
    "BetaPrime": [{"alpha": alpha, "beta": 4.0} for alpha in (0.7, 2.0, 5.0)],
    "GeneralizedExtremeValue": [{"loc": 0.0, "scale": 1.0, "shape": xi} for xi in (-0.4, 0.0, 0.4)],
    "Zeta": [{"exponent": s} for s in (1.5, 2.5, 5.0)],
    "NoncentralT": [{"df": 4.0, "noncentrality": delta} for delta in (0.0, 1.0, 3.0)],
    "Normal": [{"loc": 0.0, "scale": s} for s in (0.5, 1.0, 2.0)],
}
VALUES = {"covariance": "symmetric and positive semidefinite"} | dict.fromkeys(
    ("scale", "row_covariance", "column_covariance"), "symmetric and positive definite"
)
POSITIVE, UNIT, REAL = (0.7, 1.5, 4.0), (0.2, 0.5, 0.8), (-0.3, 0.0, 0.3)


def members(kind):
    """Three members: the first parameter without a default varies, the others stay in the middle."""
    if kind.__name__ in MEMBERS:
        return [kind(**values) for values in MEMBERS[kind.__name__]]
    names = [f for f in fields(kind) if f.default is MISSING] or [fields(kind)[-1]]
    grid = {}
    for f in names:
        domain = f.metadata["domain"]
        low, high = domain._bounded()
        values = UNIT if low and high else POSITIVE if low else REAL
        grid[f.metadata["alias"] or f.name] = (10.0, 10.0, 10.0) if domain.integer else values
    varied = next((name for name, values in grid.items() if len(set(values)) > 1), None)
    return [kind(**{n: v[i] if n == varied else v[1] for n, v in grid.items()}) for i in range(3)]


def told(p):
    """The parameters of a member, as in a call."""
    return repr(p)[len(type(p).__name__) + 1 : -1]


def array_members(kind):
    """Two members of a family of vectors or matrices."""
    narrow, wide = [[1.0, 0.3], [0.3, 1.0]], [[1.0, 0.8], [0.8, 1.0]]
    given = {
        "MultivariateNormal": [([0.0, 0.0], narrow), ([3.0, 1.0], wide)],
        "MultivariateT": [(3.0, [0.0, 0.0], narrow), (30.0, [6.0, 3.0], wide)],
        "Dirichlet": [([0.7, 0.7, 0.7],), ([9.0, 4.0, 2.0],)],
        "Multinomial": [(20, [0.0, 0.0, 0.0]), (20, [2.0, 0.0, -1.0])],
        "DirichletMultinomial": [(20, [0.7, 0.7, 0.7]), (20, [9.0, 4.0, 2.0])],
        "Wishart": [(3.0, narrow), (12.0, narrow)],
        "InverseWishart": [(6.0, narrow), (20.0, narrow)],
        "LKJ": [(3, 1.0), (3, 10.0)],
        "MatrixNormal": [(np.zeros((2, 2)), narrow, narrow), (np.full((2, 2), 4.0), wide, narrow)],
        "NormalInverseGamma": [(0.0, 1.0, 3.0, 4.0), (3.0, 10.0, 12.0, 4.0)],
        "NormalInverseWishart": [([0.0, 0.0], 1.0, 6.0, narrow), ([3.0, 3.0], 9.0, 20.0, wide)],
        "VonMisesFisher": [([0.6, 0.8], 2.0), ([-1.0, 0.0], 50.0)],
    }
    return [kind(*arguments) for arguments in given[kind.__name__]]


def picture_of_draws(kind):
    """Draws of two members: the first two entries that vary."""
    drawn, rows = array_members(kind), []
    for p in drawn:
        x = np.asarray(p.sample(400, rng=1)).reshape(400, -1).astype(float)
        first, second = np.flatnonzero(x.std(0) > 0)[:2]
        label = told(p)
        rows += [{"x": float(a), "y": float(b), "member": label} for a, b in zip(x[:, first], x[:, second], strict=True)]
    box = [np.quantile([r[axis] for r in rows], [0.005, 0.995]) for axis in "xy"]
    rows = [r for r in rows if all(low <= r[axis] <= high for axis, (low, high) in zip("xy", box, strict=True))]
    chart = alt.Chart(alt.Data(values=rows)).mark_point(opacity=0.5, size=12).encode(
        alt.X("x:Q", title="first entry"),
        alt.Y("y:Q", title="second entry"),
        alt.Color("member:N", title=None, legend=alt.Legend(orient="bottom", columns=1, labelLimit=400)),
    ).properties(width=360, height=260)
    (HERE / "catalogue" / f"{kind.__name__}.svg").write_text(vl_convert.vegalite_to_svg(chart.to_dict()))
    return drawn


def picture(kind):
    """Densities or probabilities of the members between their outer quantiles."""
    drawn = members(kind)
    low = min(float(p.icdf(0.003)) for p in drawn)
    high = max(float(p.icdf(0.98)) for p in drawn)
    spread = sorted(float(p.icdf(0.9)) - float(p.icdf(0.1)) for p in drawn)[1]
    low, high = max(low, float(drawn[1].median()) - 6 * spread), min(high, float(drawn[1].median()) + 6 * spread)
    x = np.arange(np.floor(low), np.ceil(high) + 1) if kind.discrete else np.linspace(low, high, 241)[1:-1]
    rows = [{"x": float(a), "p": float(b), "member": told(p)} for p in drawn for a, b in zip(x, p.prob(x), strict=True)]
    top = 1.3 * max(np.quantile([r["p"] for r in rows if r["member"] == told(p)], 0.97) for p in drawn)
    base = alt.Chart(alt.Data(values=[r for r in rows if np.isfinite(r["p"]) and r["p"] <= top]))
    mark = base.mark_line(point=True, strokeWidth=1) if kind.discrete else base.mark_line()
    chart = mark.encode(
        alt.X("x:Q", title="k" if kind.discrete else "x"),
        alt.Y("p:Q", title="probability" if kind.discrete else "density"),
        alt.Color("member:N", title=None, legend=alt.Legend(orient="bottom", columns=1, labelLimit=400)),
    ).properties(width=360, height=200)
    (HERE / "catalogue" / f"{kind.__name__}.svg").write_text(vl_convert.vegalite_to_svg(chart.to_dict()))
    return drawn


def moment(p, name):
    """A moment of a member in words, or why there is none."""
    try:
        value = float(getattr(p, name)())
    except sf.DoesNotExistError:
        return "none"
    return "none" if np.isnan(value) else f"{value:.4g}"


def section(entry):
    """One family as Markdown."""
    kind = entry.kind
    drawn = picture_of_draws(kind) if kind.event_ndim else picture(kind)
    first = (kind.__doc__ or "").strip().splitlines()[0]
    lines = [f"## {entry.name}", "", first, "", f"![{entry.name}](catalogue/{kind.__name__}.svg)", ""]
    lines += ["| parameter | meaning | values | default |", "|---|---|---|---|"]
    for f in fields(kind):
        default = "" if f.default is MISSING else f"{f.default:g}"
        values = VALUES.get(public_name(f)) if f.metadata.get("stored") else f.metadata["domain"]
        lines.append(f"| `{public_name(f)}` | {f.metadata['doc']} | {values or ''} | {default} |")
    if kind.event_ndim:
        others = [f"{where}: `{call}`" for where, call in (("R", entry.r), ("SciPy", entry.scipy)) if call]
        entropies = "; ".join(f"{float(p.entropy()):.4g}" for p in drawn)
        return "\n".join([*lines, "", f"Entropies of the members drawn: {entropies}.", "", "; ".join(others), ""])
    lines += ["", "| member | mean | variance | skewness | excess kurtosis | entropy |", "|---|---|---|---|---|---|"]
    names = ("mean", "variance", "skewness", "kurtosis", "entropy")
    lines += [f"| `{told(p)}` | " + " | ".join(moment(p, n) for n in names) + " |" for p in drawn]
    others = [f"{where}: `{call}`" for where, call in (("R", entry.r), ("SciPy", entry.scipy)) if call]
    return "\n".join([*lines, "", "; ".join(others), ""])


def main():
    """Write the page and its pictures."""
    intro = (
        "# The catalogue\n\nEvery family with its formula, parameters, three members and their moments, and its name in R "
        "and SciPy.\nThis page is made by `make docs`; the families are in `src/suffice/distributions/`.\n"
    )
    index = ", ".join(f"[{e.name}](#{e.name.lower()})" for e in CATALOGUE)
    pages = []
    for entry in CATALOGUE:
        print(entry.name, flush=True)
        pages.append(section(entry))
    (HERE / "catalogue.md").write_text("\n".join([intro, index, "", *pages]))


if __name__ == "__main__":
    main()
