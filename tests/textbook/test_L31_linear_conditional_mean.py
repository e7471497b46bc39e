"""L31: E[X | Y = y] is linear for the bivariate normal, with slope rho sigma_X/sigma_Y."""

import numpy as np
import pytest

import suffice as sf


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.3, 0.999])
def test_slope(rho):
    """Also the residual variance, sigma_X² (1 − rho²)."""
    sigma_x, sigma_y, means = 2.0, 0.5, np.array([1.0, -3.0])
    p = sf.MultivariateNormal(means, [[sigma_x**2, rho * sigma_x * sigma_y], [rho * sigma_x * sigma_y, sigma_y**2]])
    y = np.array([-5.0, -3.0, 0.0, 4.0])
    found = np.array([float(p.conditional([1], [v]).loc[0]) for v in y])
    np.testing.assert_allclose(found, means[0] + rho * sigma_x / sigma_y * (y - means[1]), rtol=1e-12)
    assert float(p.conditional([1], [0.0]).variance()[0]) == pytest.approx(sigma_x**2 * (1 - rho**2), rel=1e-11)
