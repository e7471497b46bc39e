"""Classic data: the 50-digit reference, and mclust's converged output."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import suffice as sf

CLASSICS = Path(__file__).parents[2] / "references" / "classics"


def columns(name, *wanted):
    with open(CLASSICS / name, newline="") as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(row[c]) for c in wanted] for row in rows])


FAITHFUL = columns("faithful.csv", "eruptions", "waiting")
GALAXIES = columns("galaxies.csv", "dat")[:, 0] / 1000.0
IRIS = np.genfromtxt("examples/iris.csv", delimiter=",", skip_header=1, usecols=range(4))


def test_old_faithful_in_one_column():
    """The maximum and its standard errors to 8 digits of those computed with 50."""
    reference = json.loads((CLASSICS / "mle_reference_mp50.json").read_text())["faithful waiting"][1]
    fit = sf.fit_mixture(sf.Normal, 2, FAITHFUL[:, 1])
    assert fit.converged
    ours = {
        "lambda1": "weights[0]", "mu1": "components[0].loc", "mu2": "components[1].loc",
        "sd1": "components[0].scale", "sd2": "components[1].scale",
    }  # fmt: skip
    for name, value in reference["params"].items():
        if name in ours:
            assert fit.parameters[ours[name]] == pytest.approx(float(value), rel=1e-8)
    for name, value in reference["se"].items():
        if name in ours:
            assert fit.standard_errors[ours[name]] == pytest.approx(float(value), rel=1e-8)
    assert fit.log_likelihood == pytest.approx(float(reference["loglik"]), rel=1e-13)


def test_old_faithful_with_one_deviation():
    fit = sf.fit_mixture(sf.Normal, 2, FAITHFUL[:, 1], covariance="tied")
    assert fit.parameters["weights[0]"] == pytest.approx(0.3608494427, rel=1e-8)
    assert [fit.parameters[f"components[{k}].loc"] for k in (0, 1)] == pytest.approx(
        [54.61362634, 80.09030362], rel=1e-9
    )
    assert fit.parameters["components[0].scale"] == pytest.approx(5.869091398, rel=1e-9)
    assert fit.dimension == 4


MCLUST = [  # data, structure, components, log-likelihood, parameters, BIC of the opposite sign
    ("faithful", "EEE", 3, -1126.315927823444, 11, -2314.295678376145),
    ("faithful", "VVV", 2, -1130.263960184741, 11, -2322.191743098738),
    ("faithful", "EEE", 2, -1140.186759437084, 8, -2325.219935404536),
    ("iris", "VEV", 2, -215.7259722339179, 26, -561.7284621143384),
    ("iris", "VVV", 2, -214.3547043705123, 29, -574.017832269816),
    ("iris", "VVV", 3, -180.1854771313038, 44, -580.8389072028428),
]


@pytest.mark.parametrize(("data", "covariance", "k", "value", "dimension", "bic"), MCLUST)
def test_mclust(data, covariance, k, value, dimension, bic):
    """Its log-likelihoods and BIC; what it stops short of, about 1e-9, is its own tolerance."""
    x = {"faithful": FAITHFUL, "iris": IRIS}[data]
    labels = np.repeat([0, 1, 2], 50) if data == "iris" else None
    start = None if labels is None else np.minimum(labels, k - 1)
    fit = sf.fit_mixture(sf.MultivariateNormal, k, x, covariance=covariance, start=start)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(value, rel=1e-10)
    assert fit.log_likelihood > value - 1e-9
    assert (fit.dimension, fit.bic) == (dimension, pytest.approx(-bic, rel=1e-10))


# galaxies by mclust: structure, log-likelihood, weights, means, variances of where it ended
ENDS = [
    ("E", -230.3523873880274, [0.08692951166596424, 0.91307048833403570], [9.860159401153281, 21.872387888097347],
     [9.120902807030276] * 2),
    ("V", -220.2432771523875, [0.2547566149147669, 0.7452433850852330], [19.27653525939985, 21.35858724853627],
     [67.075629444855352, 3.573215247408499]),
    ("E", -212.3518551803442, [0.08589203804282847, 0.87707816509201786, 0.03702979686515328],
     [9.749496811941617, 21.400478164272617, 32.970055565561815], [4.285350077021134] * 3),
    ("V", -199.2526939650523, [0.08441070558042803, 0.38681160039445561, 0.36650589545632989, 0.16227179856878646],
     [9.707477294801512, 19.807407227972391, 22.881417930596577, 24.408716125048773],
     [0.1772954151882199, 0.4366192595317840, 1.2274413152209431, 33.7247267290787036]),
]  # fmt: skip


@pytest.mark.parametrize(("letter", "value", "weights", "means", "variances"), ENDS)
def test_galaxies(letter, value, weights, means, variances):
    """From where mclust ends the climb ends there: it is a maximum.

    Near a maximum l falls by at least ½ (δ/s)² for a parameter that is δ off, s being its standard error: the gap in l says
    how far off its parameters may be. The gap itself is known to what mclust took for none, 1e-14 (1 + |l|) a step.
    """
    start = sf.Mixture([sf.Normal(m, v**0.5) for m, v in zip(means, variances, strict=True)], weights)
    covariance = {"E": "tied", "V": "full"}[letter]
    fit = sf.fit_mixture(sf.Normal, len(means), GALAXIES, covariance=covariance, start=start)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(value, rel=1e-12)
    gap = max(fit.log_likelihood - value, 0.0) + 1e-14 * (1.0 + abs(value))
    for k, j in enumerate(np.argsort(means)):
        theirs = {"loc": means[j], "scale": variances[j] ** 0.5}
        wanted = {f"components[{k}].{name}": v for name, v in theirs.items()} | {f"weights[{k}]": weights[j]}
        for name, v in wanted.items():
            assert abs(fit.parameters[name] - v) <= fit.standard_errors[name] * np.sqrt(2.0 * gap)
