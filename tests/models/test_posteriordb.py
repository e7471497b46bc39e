"""All of posteriordb's regressions with flat priors of the weights: exact means and deviations beside Stan's draws."""

import json
from pathlib import Path

import numpy as np
import pytest

import suffice as sf

REFERENCE = json.loads((Path(__file__).parent.parent / "references" / "posteriordb" / "regressions.json").read_text())


def interaction(a, b):
    return np.column_stack([a, b, a * b])


def scaled(a, width):
    return (a - a.mean()) / (width * a.std(ddof=1))


def logs(d, *names):
    return [np.log(d[n]) for n in names]


def volumes(d):
    """Logarithms of a bush's volume, area and shape."""
    area = d["diam1"] * d["diam2"]
    return np.log(area * d["canopy_height"]), np.log(area), np.log(d["diam1"] / d["diam2"])


CASES = {
    "kidiq-kidscore_momhs": lambda d: d["mom_hs"],
    "kidiq-kidscore_momiq": lambda d: d["mom_iq"],
    "kidiq-kidscore_interaction": lambda d: interaction(d["mom_hs"], d["mom_iq"]),
    "kidiq_with_mom_work-kidscore_interaction_c": lambda d: interaction(
        d["mom_hs"] - d["mom_hs"].mean(), d["mom_iq"] - d["mom_iq"].mean()
    ),
    "kidiq_with_mom_work-kidscore_interaction_c2": lambda d: interaction(d["mom_hs"] - 0.5, d["mom_iq"] - 100.0),
    "kidiq_with_mom_work-kidscore_interaction_z": lambda d: interaction(scaled(d["mom_hs"], 2), scaled(d["mom_iq"], 2)),
    "kidiq_with_mom_work-kidscore_mom_work": lambda d: d["mom_work"],
    "earnings-log10earn_height": lambda d: d["height"],
    "earnings-logearn_height": lambda d: d["height"],
    "earnings-logearn_height_male": lambda d: np.column_stack([d["height"], d["male"]]),
    "earnings-logearn_interaction_z": lambda d: interaction(scaled(d["height"], 1), d["male"]),
    "earnings-logearn_logheight_male": lambda d: np.column_stack([np.log(d["height"]), d["male"]]),
    "mesquite-mesquite": lambda d: np.column_stack([d[n] for n in BUSH]),
    "mesquite-logmesquite": lambda d: np.column_stack([*logs(d, *BUSH[:-1]), d["group"]]),
    "mesquite-logmesquite_logvolume": lambda d: volumes(d)[0],
    "mesquite-logmesquite_logva": lambda d: np.column_stack([*volumes(d)[:2], d["group"]]),
    "mesquite-logmesquite_logvas": lambda d: np.column_stack(
        [*volumes(d), *logs(d, "total_height", "density"), d["group"]]
    ),
}
BUSH = ("diam1", "diam2", "canopy_height", "total_height", "density", "group")
TARGETS = {"kidiq": "kid_score", "kidiq_with_mom_work": "kid_score", "earnings": "earn", "mesquite": "weight"}


@pytest.mark.parametrize("name", REFERENCE["posteriors"])
def test_against_draws(name):
    """Within 4 Monte Carlo standard errors: sd/100 of a mean, sd √(2 + excess kurtosis)/200 of a deviation.

    120 comparisons of normal errors: one of them is outside in 1 of 130 such tests, with draws that are fixed. A flat prior
    of the noise's deviation in place of the flat one of its logarithm takes one from the degrees of freedom; a
    half-Cauchy is near deviation⁻² there, which adds one.
    """
    data, model = name.split("-")
    found = REFERENCE["posteriors"][name]
    d = {k: np.array(v, float) for k, v in REFERENCE["data"][data].items()}
    t = d[TARGETS[data]]
    t = np.log10(t) if "log10" in model else np.log(t) if model.startswith("log") else t
    basis = sf.OneHot() if model == "kidscore_mom_work" else sf.Linear()
    p = sf.BayesianLinearModel(basis).fit(CASES[name](d), t)
    law = p.noise_variance
    a, b = float(law.concentration) + (0.5 if data == "kidiq" else -0.5), float(law.scale)
    sd = np.sqrt(b / (a - 1.0) * (p.solution.weights_root**2).sum(1))
    assert (np.abs(p.mean - found["mean"]) < 4 * sd / np.sqrt(found["draws"])).all()
    error = np.sqrt((2.0 + np.array(found["exkurt"])) / (4.0 * found["draws"]))
    assert (np.abs(np.array(found["sd"]) / sd - 1.0) < 4 * error).all()


def test_all_are_there():
    assert set(CASES) == set(REFERENCE["posteriors"])
