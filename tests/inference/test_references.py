"""Fits of classic data against estimates, standard errors and log-likelihoods computed with 50 digits."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import suffice as sf

FOLDER = Path(__file__).parent.parent / "references" / "classics"
REFERENCES = json.loads((FOLDER / "mle_reference_mp50.json").read_text())

# data set of the reference file -> file, column of values, column of frequencies
DATA = {
    "groundbeef": ("groundbeef.csv", "serving", None),
    "danishuni": ("danishuni.csv", "Loss", None),
    "aircondit(12)": ("aircondit.csv", "hours", None),
    "aircondit7(24)": ("aircondit7.csv", "hours", None),
    "horsekicks(200, 10 corps)": ("horsekicks.csv", "nDeaths", "Freq"),
    "prussian(280, 14 corps)": ("prussian.csv", "y", None),
    "rutherford_geiger": ("rutherford_geiger.csv", "count", "frequency"),
    "faithful waiting": ("faithful.csv", "waiting", None),
    "ChestSizes": ("ChestSizes.csv", "chest", "count"),
    "ChestStigler": ("ChestStigler.csv", "chest", "count"),
}
# name there -> family here, and its parameters by the names there
FAMILIES = {
    "weibull": (sf.Weibull, {"shape": "concentration", "scale": "scale"}),
    "gamma": (sf.Gamma, {"shape": "concentration", "rate": "rate"}),
    "lognormal": (sf.LogNormal, {"meanlog": "loc", "sdlog": "scale"}),
    "exponential": (sf.Exponential, {"rate": "rate"}),
    "poisson": (sf.Poisson, {"lambda": "rate"}),
    "negbinom": (sf.NegativeBinomial, {"size": "concentration", "mu": "mean"}),
    "normal": (sf.Normal, {"mean": "loc", "sd": "scale", "sd_mle": "scale"}),
}


def column(name, which):
    with (FOLDER / name).open() as file:
        return np.array([float(row[which]) for row in csv.DictReader(file)])


def cases():
    for data, entries in REFERENCES.items():
        for entry in entries if data in DATA else ():
            family = entry["dist"].split("(")[0]
            if family in FAMILIES:
                yield pytest.param(data, family, entry, id=f"{data}-{family}")


def test_the_reference_file_was_understood():
    assert len(list(cases())) == 17


@pytest.mark.parametrize(("data", "name", "entry"), list(cases()))
def test_fit_agrees_with_fifty_digits(data, name, entry):
    """Relative 1e-9 in estimates, standard errors and log-likelihood; the reference's errors have 15 digits."""
    file, values, frequencies = DATA[data]
    family, names = FAMILIES[name]
    weights = None if frequencies is None else column(file, frequencies)
    fit = sf.fit(family, column(file, values), weights=weights)
    assert fit.converged
    for theirs, value in entry["params"].items():
        assert fit.parameters[names[theirs]] == pytest.approx(float(value), rel=1e-9)
    for theirs, value in entry.get("se", {}).items():
        assert fit.standard_errors[names[theirs]] == pytest.approx(float(value), rel=1e-9)
    if "loglik" in entry:
        assert float(fit.log_likelihood) == pytest.approx(float(entry["loglik"]), rel=1e-9)
    if "corr" in entry and len(names) == 2 and fit.covariance.shape == (2, 2):
        deviations = np.sqrt(np.diag(fit.covariance))
        assert fit.covariance[0, 1] / deviations.prod() == pytest.approx(float(entry["corr"]), abs=1e-9)
