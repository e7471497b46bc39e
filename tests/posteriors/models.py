"""Seven posteriors of posteriordb written as log-densities: (log_density, domains, report), report gives Stan's names."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import suffice as sf
from suffice import domain

PLACE = Path(__file__).parents[1] / "references" / "posteriordb"
REFERENCE = json.loads((PLACE / "reference_stats.json").read_text())


def data(name):
    return {k: np.asarray(v, float) for k, v in json.loads((PLACE / f"{name}.json").read_text()).items()}


def normal(x, loc, scale):
    return (-0.5 * ((x - loc) / scale) ** 2 - jnp.log(scale)).sum()


def half_cauchy(x, scale):
    return -jnp.log1p((x / scale) ** 2)


def numbered(name, values):
    return {f"{name}[{i + 1}]": values[..., i] for i in range(values.shape[-1])}


def eight_schools():
    d = data("eight_schools")

    def log_density(p):
        theta = p["mu"] + p["tau"] * p["z"]
        return (
            normal(p["z"], 0.0, 1.0)
            + normal(d["y"], theta, d["sigma"])
            + normal(p["mu"], 0.0, 5.0)
            + half_cauchy(p["tau"], 5.0)
        )

    def report(p):
        theta = p["mu"][..., None] + p["tau"][..., None] * p["z"]
        return {**numbered("theta", theta), "mu": p["mu"], "tau": p["tau"]}

    return log_density, {"mu": domain.real, "tau": domain.positive, "z": domain.real.array(8)}, report


def regression(columns, y, prior=True):
    """Flat coefficients; a half-Cauchy deviation, or a flat one."""
    x = np.stack(np.broadcast_arrays(*columns), axis=1)

    def log_density(p):
        return normal(y, x @ p["beta"], p["sigma"]) + (half_cauchy(p["sigma"], 2.5) if prior else 0.0)

    def report(p):
        return {**numbered("beta", p["beta"]), "sigma": p["sigma"]}

    return log_density, {"beta": domain.real.array(x.shape[1]), "sigma": domain.positive}, report


def kidscore_momiq():
    d = data("kidiq")
    return regression([np.ones_like(d["mom_iq"]), d["mom_iq"]], d["kid_score"])


def kidscore_interaction():
    d = data("kidiq")
    return regression([np.ones_like(d["mom_iq"]), d["mom_hs"], d["mom_iq"], d["mom_hs"] * d["mom_iq"]], d["kid_score"])


def nes():
    d = data("nes1972")
    age = [(d["age_discrete"] == k).astype(float) for k in (2, 3, 4)]
    columns = [np.ones_like(d["income"]), d["real_ideo"], d["race_adj"], *age, d["educ1"], d["gender"], d["income"]]
    return regression(columns, d["partyid7"], prior=False)


def garch11():
    d = data("garch")
    y = d["y"]

    def log_density(p):
        alpha1, beta1 = p["share"][0], p["share"][1]

        def step(variance, before):
            variance = p["alpha0"] + alpha1 * (before - p["mu"]) ** 2 + beta1 * variance
            return variance, variance

        first = jnp.asarray(d["sigma1"] ** 2)
        _, later = jax.lax.scan(step, first, y[:-1])
        return normal(y, p["mu"], jnp.sqrt(jnp.concatenate([first[None], later])))

    def report(p):
        return {"mu": p["mu"], "alpha0": p["alpha0"], "alpha1": p["share"][..., 0], "beta1": p["share"][..., 1]}

    # alpha1, beta1 > 0 with a sum below 1 are the first two of three shares
    return log_density, {"mu": domain.real, "alpha0": domain.positive, "share": domain.simplex.array(3)}, report


def autoregression():
    d = data("arK")
    k, y = int(d["K"]), d["y"]
    past = np.stack([y[k - i - 1 : len(y) - i - 1] for i in range(k)], axis=1)

    def log_density(p):
        return (
            normal(y[k:], p["alpha"] + past @ p["beta"], p["sigma"])
            + normal(p["alpha"], 0.0, 10.0)
            + normal(p["beta"], 0.0, 10.0)
            + half_cauchy(p["sigma"], 2.5)
        )

    def report(p):
        return {"alpha": p["alpha"], **numbered("beta", p["beta"]), "sigma": p["sigma"]}

    return log_density, {"alpha": domain.real, "beta": domain.real.array(k), "sigma": domain.positive}, report


def hmm_drive():
    """The likelihood is that of ``sf.HiddenMarkov``: two states, of each of which both values are exponential."""
    d = data("bball_drive_event_0")
    x, prior = np.stack([d["u"], d["v"]], axis=1), d["alpha"]

    def log_density(p):
        theta = jnp.stack([p["theta1"], p["theta2"]])
        rate = jnp.cumsum(jnp.stack([p["phi"], p["lambda"]]), axis=1)  # of each value in each state
        chain = sf.HiddenMarkov(jnp.full(2, 0.5), theta, sf.Independent(sf.Exponential(rate.T)))
        priors = ((prior - 1.0) * jnp.log(theta)).sum() + normal(rate, jnp.array([[0.0, 3.0]]), 1.0)
        return chain.log_prob(x) + priors

    def report(p):
        return {
            **numbered("theta1", p["theta1"]), **numbered("theta2", p["theta2"]),
            **numbered("phi", np.cumsum(p["phi"], -1)), **numbered("lambda", np.cumsum(p["lambda"], -1)),
        }  # fmt: skip

    two = domain.positive.array(2)  # steps of a rising pair of positive numbers
    shares = domain.simplex.array(2)
    return log_density, {"theta1": shares, "theta2": shares, "phi": two, "lambda": two}, report


POSTERIORS = {
    "eight_schools-eight_schools_noncentered": eight_schools,
    "kidiq-kidscore_momiq": kidscore_momiq,
    "kidiq-kidscore_interaction": kidscore_interaction,
    "nes1972-nes": nes,
    "garch-garch11": garch11,
    "arK-arK": autoregression,
    "bball_drive_event_0-hmm_drive_0": hmm_drive,
}
