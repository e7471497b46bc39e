"""Joint confidence regions: on their boundary the profile log-likelihood has fallen by what χ² of two degrees asks for."""

import numpy as np
import pytest

import suffice as sf

X = np.random.default_rng(3).gamma(2.0, 1.0, size=40)


def fall(fit, log_likelihoods):
    return 2.0 * (float(fit.log_likelihood) - np.asarray(log_likelihoods))


def test_boundary_of_a_family_of_two_parameters():
    fit = sf.fit(sf.Gamma, X)
    region = fit.region(level=0.9)
    a, b = region.points.T
    found = np.asarray(sf.Gamma(a[:, None], b[:, None]).log_prob(X)).sum(1)
    np.testing.assert_allclose(fall(fit, found), -2.0 * np.log(0.1), rtol=1e-9)
    angle = np.unwrap(np.arctan2(b - region.estimate[1], a - region.estimate[0]))
    assert (np.diff(angle) > 0).all()
    assert len(region.points) == 64
    np.testing.assert_allclose(region.estimate, list(fit.parameters.values()))


def test_other_parameters_are_at_their_best():
    x = np.random.default_rng(4).standard_t(4.0, size=60)
    fit = sf.fit(sf.StudentT, x)
    region = fit.region(("scale", "loc"), points=8)
    for scale, loc in region.points[::3]:
        profile = sf.fit(sf.family(sf.StudentT, loc=loc, scale=scale), x)
        np.testing.assert_allclose(fall(fit, profile.log_likelihood), -2.0 * np.log(0.05), rtol=1e-8)


def test_censored_data_and_large_samples():
    c = np.full(40, 2.0)
    fit = sf.fit(sf.Weibull, sf.Data(left=np.minimum(X, c), right=np.where(c < X, np.nan, X)))
    region = fit.region()
    seen, p = c >= X, sf.Weibull(*(v[:, None] for v in region.points.T))
    found = np.asarray(p.log_prob(X))[:, seen].sum(1) + (~seen).sum() * np.asarray(p.log_sf(2.0))[:, 0]
    np.testing.assert_allclose(fall(fit, found), -2.0 * np.log(0.05), rtol=1e-9)
    many = sf.fit(sf.Normal, np.random.default_rng(5).normal(size=100_000)).region()
    np.testing.assert_allclose(many.points, many.wald, atol=3e-5)  # a hundredth of the standard errors


def test_what_has_no_region_says_why():
    fit = sf.fit(sf.Gamma, X)
    with pytest.raises(ValueError, match="names must be two of concentration, rate, got 'rate' and 'rate'"):
        fit.region(("rate", "rate"))
    with pytest.raises(ValueError, match="names must choose two of df, loc, scale"):
        sf.fit(sf.StudentT, X).region()
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        fit.region(level=1.0)
    with pytest.raises(ValueError, match="points must be >= 8"):
        fit.region(points=4)
    with pytest.raises(ValueError, match="kink"):
        sf.fit(sf.Laplace, X).region()
    with pytest.raises(ValueError, match="support is estimated"):
        sf.fit(sf.Uniform, X).region()


def test_its_picture_shows_contour_ellipse_and_estimate():
    chart = sf.plot(sf.fit(sf.Gamma, X).region()).to_dict()
    line, dot = chart["layer"]
    drawn = str(chart.get("datasets", {})) + str(line.get("data"))
    assert drawn.count("profile likelihood") == drawn.count("Wald") == 65
    assert dot["mark"]["type"] == "circle"
    assert (line["encoding"]["x"]["title"], line["encoding"]["y"]["title"]) == ("concentration", "rate")
