"""Errors of densities, tails and quantiles against 50 digits, from one deep tail to the other, beside SciPy and NumPyro.

The references lie in tests/references/accuracy, with what made them. An error is relative (of log_prob absolute where it
is below 1), less 8 eps (1 + kappa): what follows from rounding each input and the result a few times, with
kappa = Σ|input · dF/dinput|/|F| over x and real parameters. What is left is printed: 0 means as exact as the inputs.

Run: python benchmarks/accuracy.py [NAME …] [--without-others] [--misses]
"""

import argparse
import warnings
from pathlib import Path

import numpy as np

import suffice as sf
from suffice.distributions.catalogue import BY_NAME

REFERENCES = Path(__file__).parents[1] / "tests" / "references" / "accuracy"
METHODS = ("log_prob", "cdf", "sf", "icdf", "isf", "log_cdf", "log_sf")
# where a defining series, an integral or a noncentral law enters
BY_SERIES = (
    "SkewNormal",
    "NoncentralChiSquared",
    "BetaBinomial",
    "Hypergeometric",
    "Skellam",
    "Logarithmic",
    "NoncentralT",
    "Zeta",
)
STEADY = 1e-3  # of eps · kappa: beyond it a rounded input is another place altogether, and nothing is compared

# names there, where the catalogue has none or other parameters
SCIPY = {"VonMises": "vonmises(kappa=concentration, loc=loc)", "Bernoulli": "bernoulli(p=1/(1+exp(-logits)))"}
TOO_LONG = {("Logarithmic", "isf"), *(("Zeta", method) for method in METHODS[1:])}  # there: minutes, and gigabytes
SCIPY_METHODS = dict(zip(METHODS, ("logpdf", "cdf", "sf", "ppf", "isf", "logcdf", "logsf"), strict=True))
NUMPYRO = {
    "Normal": "Normal(loc, scale)",
    "LogNormal": "LogNormal(loc, scale)",
    "Exponential": "Exponential(rate)",
    "Gamma": "Gamma(concentration, rate)",
    "InverseGamma": "InverseGamma(concentration, scale)",
    "Weibull": "Weibull(scale, concentration)",
    "Beta": "Beta(alpha, beta)",
    "StudentT": "StudentT(df, loc, scale)",
    "Logistic": "Logistic(loc, scale)",
    "Laplace": "Laplace(loc, scale)",
    "Cauchy": "Cauchy(loc, scale)",
    "Gumbel": "Gumbel(loc, scale)",
    "Pareto": "Pareto(scale, concentration)",
    "Uniform": "Uniform(low, high)",
    "Bernoulli": "Bernoulli(logits=logits)",
    "Poisson": "Poisson(rate)",
    "Geometric": "Geometric(probs)",
    "NegativeBinomial": "NegativeBinomial2(mean, concentration)",
    "ChiSquared": "Chi2(df)",
    "HalfNormal": "HalfNormal(scale)",
    "HalfCauchy": "HalfCauchy(scale)",
    "Kumaraswamy": "Kumaraswamy(alpha, beta)",
    "LogUniform": "LogUniform(low, high)",
    "AsymmetricLaplace": "AsymmetricLaplace(loc, scale, asymmetry)",
    "VonMises": "VonMises(loc, concentration)",
    "Binomial": "Binomial(total_count, probs)",
    "BetaBinomial": "BetaBinomial(alpha, beta, total_count)",
    "DiscreteUniform": "DiscreteUniform(low, high)",
}


class Reference:
    """The points of one family: parameters, places, exact values, and how far rounded inputs move them."""

    def __init__(self, name):
        table = dict(np.load(REFERENCES / f"{name}.npz"))
        self.name, self.kind = name, getattr(sf, name)
        self.parameters = dict(list(table.items())[: list(table).index("x")])
        self.table = {key: table[key].astype(float) for key in table}
        self.mass = np.exp(self.table["log_prob"]) if self.kind.discrete else np.zeros(1)

    def argument(self, method):
        """Points; for quantiles the tail there, of counts the middle of its step."""
        if method == "icdf":
            return self.table["cdf"] - 0.5 * self.mass
        if method == "isf":
            return self.table["sf"] + 0.5 * self.mass
        return self.table["x"]

    @np.errstate(over="ignore")
    def rounded(self, method, dtype):
        """The same in the type that is looked at, infinite where it does not reach."""
        return self.argument(method).astype(dtype)

    def expected(self, method):
        return self.table["x" if method in ("icdf", "isf") else method]

    def scale(self, method):
        """What errors are relative to."""
        size = np.abs(self.expected(method))
        absolute = method == "log_prob" or (self.kind.discrete and method in ("icdf", "isf"))
        return np.maximum(size, 1.0) if absolute else size

    @np.errstate(all="ignore")  # where the density vanishes
    def kappa(self, method):
        """Σ|input · dF/dinput| over the scale of F; of a quantile the rounding of its level is an input."""
        t, size = self.table, self.scale(method)
        if method == "log_prob":
            return t["kappa_log_prob"] / size
        tail = np.minimum(t["cdf"], t["sf"])
        if method in ("icdf", "isf"):
            return (self.argument(method) + t["kappa_parameters"] * tail) / np.exp(t["log_prob"]) / size
        moved = (t["kappa_x"] + t["kappa_parameters"]) * tail
        return moved / (t[method] if method in ("cdf", "sf") else t[method.removeprefix("log_")] * size)

    def usable(self, method, dtype):
        """Where inputs and result are numbers of the type, and rounding inputs moves the result a little only."""
        about = np.finfo(dtype)
        values = np.abs(np.stack([self.argument(method), self.expected(method), *self.parameters.values()]))
        normal = np.all((values == 0) | ((values > 4 * about.tiny) & (values < about.max / 4)), axis=0)
        level = self.argument(method) < 1 - about.eps if method in ("icdf", "isf") else True
        return normal & level & (about.eps * self.kappa(method) < STEADY)

    @np.errstate(all="ignore")
    def excess(self, method, found, dtype=np.float64):
        """Errors beyond the rounding of inputs, and which values are falsely 0, infinite or NaN, at usable points.

        What is masked in a masked array is not compared.
        """
        rows, exact = self.usable(method, dtype) & ~np.ma.getmaskarray(found), self.expected(method)
        found = np.asarray(np.ma.getdata(found), float)
        zero = (found == 0) & (exact != 0) & (method != "log_prob")
        wrong = (~np.isfinite(found) | zero)[rows]
        error = np.where(found == exact, 0.0, np.abs(found - exact) / self.scale(method))
        error = np.where(np.isfinite(error), error, np.inf)
        return np.maximum(error - 8 * np.finfo(dtype).eps * (1 + self.kappa(method)), 0.0)[rows], wrong

    def goal(self, dtype=np.float64):
        """What is promised beyond the rounding of inputs."""
        if dtype == np.float32:
            return 0.0
        return 1e-11 if self.name in BY_SERIES else 1e-13

    def law(self, dtype=np.float64):
        return self.kind(**{name: value.astype(dtype) for name, value in self.parameters.items()})


def families():
    return [name for name in (entry.name for entry in BY_NAME.values()) if (REFERENCES / f"{name}.npz").exists()]


def by_suffice(reference, method, dtype=np.float64):
    return getattr(reference.law(dtype), method)(reference.rounded(method, dtype))


def called(text, module, names):
    """The value of a call such as "gamma(a=concentration)": the function from the module, what it takes from the names."""
    function, arguments = text.split("(", 1)
    return eval(f"lambda function: function({arguments}", names)(getattr(module, function))


def by_scipy(reference, method):
    import scipy.stats

    text = SCIPY.get(reference.name, BY_NAME[reference.name.lower()].scipy)
    if not text or (reference.name, method) in TOO_LONG:
        return None
    law = called(text, scipy.stats, {"exp": np.exp, **reference.parameters})
    name = SCIPY_METHODS[method]
    if reference.kind.discrete:
        name = name.replace("pdf", "pmf")
    argument, rows = reference.argument(method), reference.usable(method, np.float64)
    try:
        found = getattr(law, name)(np.where(rows, argument, argument[rows.argmax()]))
    except (OverflowError, RuntimeError):
        return "raises"
    # SciPy cuts the circle open opposite to loc
    return np.ma.array(found, mask=reference.parameters["loc"] != 0) if reference.name == "VonMises" else found


def by_numpyro(reference, method):
    import jax.numpy as jnp
    import numpyro.distributions

    if reference.name not in NUMPYRO:
        return None
    arguments = {name: jnp.asarray(value) for name, value in reference.parameters.items()}
    for count in ("total_count", "low", "high"):
        if reference.kind.discrete and count in arguments:
            arguments[count] = arguments[count].astype(int)
    law = called(NUMPYRO[reference.name], numpyro.distributions, arguments)
    argument = jnp.asarray(reference.argument(method))
    if reference.kind.discrete and method not in ("icdf", "isf"):
        argument = argument.astype(int)
    try:
        return getattr(law, method)(argument)
    except (NotImplementedError, AttributeError, ImportError):
        return None


def summary(errors, wrong):
    if not errors.size:
        return f"{'no point':>30}"
    figures = (np.median(errors), np.quantile(errors, 0.99, method="higher"), errors.max())
    return "".join(f"{'0' if v == 0 else f'{v:.0e}':>8}" for v in figures) + f"{int(wrong.sum()) or '':>6}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--without-others", action="store_true")
    parser.add_argument("--misses", action="store_true", help="each point beyond what is promised")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    columns = {
        "Suffice": (by_suffice, np.float64),
        "SciPy": (by_scipy, np.float64),
        "NumPyro": (by_numpyro, np.float64),
        "Suffice float32": (lambda r, m: by_suffice(r, m, np.float32), np.float32),
    }
    if options.without_others:
        columns = {name: column for name, column in columns.items() if name.startswith("Suffice")}
    print(f"{'':<39}" + "".join(f"{name:>30}" for name in columns))
    print(
        f"{'family':<22}{'method':<10}{'points':>7}" + f"{'median':>8}{'99 %':>8}{'max':>8}{'false':>6}" * len(columns)
    )
    verdicts = []
    for name in options.names or families():
        reference = Reference(name)
        for method in METHODS:
            line, worst = [], {}
            for title, (found_by, dtype) in columns.items():
                found = found_by(reference, method)
                if found is None or isinstance(found, str):
                    line.append(f"{found or '–':>30}")
                    continue
                errors, wrong = reference.excess(method, found, dtype)
                line.append(summary(errors, wrong))
                worst[title] = max(errors, default=0.0)
                if title.startswith("Suffice") and worst[title] > reference.goal(dtype):
                    verdicts.append(
                        f"{name}.{method}: {title} misses {reference.goal(dtype):.0e} by {worst[title]:.1e}"
                    )
                    for i in np.argsort(errors)[: -6 if options.misses else -1 : -1]:
                        place = np.flatnonzero(reference.usable(method, dtype))[i]
                        theta = ", ".join(f"{v[place]:.6g}" for v in reference.parameters.values())
                        verdicts.append(
                            f"    {name}({theta}).{method}({reference.argument(method)[place]!r}) = {found[place]!r}, not "
                            f"{reference.expected(method)[place]!r}: {errors[i]:.1e} (kappa {reference.kappa(method)[place]:.1e})"
                        )
            if worst.get("SciPy", np.inf) < worst["Suffice"] and worst["Suffice"] > 1e-15:
                verdicts.append(
                    f"{name}.{method}: SciPy errs by {worst['SciPy']:.1e}, Suffice by {worst['Suffice']:.1e}"
                )
            points = reference.usable(method, np.float64).sum()
            print(f"{name[:21]:<22}{method:<10}{points:>7}" + "".join(line), flush=True)
    print("\n".join(verdicts) or "all as promised, and nowhere less exact than SciPy")


if __name__ == "__main__":
    main()
