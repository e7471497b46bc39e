"""Sums from which tails are defined, at whatever precision mpmath is set to: fixed-point, all terms positive."""

from functools import cache

from mpmath import erfc, exp, gamma, ldexp, log, log1p, loggamma, mp, mpf, pi, quad, sqrt
from mpmath.libmp import MPZ


def fixed(x):
    """An integer for x, in units of 2^−prec."""
    return MPZ(int(ldexp(x, mp.prec)))


def gamma_tails(a, x):
    """P(a, x) = x^a exp(−x)/Γ(a + 1) Σ_k x^k/(a + 1)_k, and its complement."""
    at, step = fixed(a), MPZ(1) << mp.prec
    x_, term = fixed(x), step
    total = term
    while term:
        at += step
        term = term * x_ // at
        total += term
    lower = exp(a * log(x) - x - loggamma(a + 1)) * ldexp(mpf(total), -mp.prec)
    return lower, 1 - lower


def beta_tails(a, b, x, y=None):
    """I_x(a, b) = x^a y^b/(a B(a, b)) Σ_k (a + b)_k/(a + 1)_k x^k with y = 1 − x, and its complement; from the side below ½."""
    y = 1 - x if y is None else y
    if x > y:
        return beta_tails(b, a, y, x)[::-1]
    above, below, step = fixed(a + b), fixed(a + 1), MPZ(1) << mp.prec
    x_, term, shift = fixed(x), step, mp.prec
    total = term
    while term:
        term = (term * above // below * x_) >> shift
        total += term
        above += step
        below += step
    lead = a * log(x) + b * log(y) + loggamma(a + b) - loggamma(a + 1) - loggamma(b)
    lower = exp(lead) * ldexp(mpf(total), -mp.prec)
    return lower, 1 - lower


def normal_tails(z):
    """Φ(z) and Φ(−z)."""
    return erfc(-z / sqrt(2)) / 2, erfc(z / sqrt(2)) / 2


def log_normal_density(z):
    return -z * z / 2 - log(2 * pi) / 2


def log_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def ratio_sums(k, low, high, up):
    """Σ_{j <= k} p(j)/p(k) and Σ_{j > k} p(j)/p(k) from up(j) = p(j + 1)/p(j) as (numerator, denominator)."""
    one = MPZ(1) << mp.prec
    down, above = one, MPZ(0)
    term = one
    for j in range(k - 1, low - 1, -1):
        n, d = up(j)
        term = term * d // n
        down += term
    term = one
    for j in range(k, high):
        n, d = up(j)
        term = term * n // d
        above += term
    return ldexp(mpf(down), -mp.prec), ldexp(mpf(above), -mp.prec)


def poisson_weights(rate):
    """P(J = j), j = 0, 1, …, until the rest is beyond the precision."""
    weights = [exp(-rate)]
    floor = ldexp(mpf(1), -mp.prec - 40)
    while len(weights) <= rate or weights[-1] > floor:
        weights.append(weights[-1] * rate / len(weights))
    return weights


def skellam(k, rate1, rate2):
    """P(A − B = k), and tails, of independent Poisson counts: Σ_j P(B = j) P(A = k + j), and the same with P(A <= k + j)."""
    first, second = poisson_weights(rate1), poisson_weights(rate2)
    mass = lower = upper = mpf(0)
    tail, below = 1 - first[0], first[0]
    if k > 0:
        for i in range(1, k + 1):
            p = first[i] if i < len(first) else mpf(0)
            below, tail = below + p, tail - p
    for j, weight in enumerate(second):
        i = k + j
        if i < 0:
            upper += weight
            continue
        p = first[i] if i < len(first) else mpf(0)
        if j and i:
            below, tail = below + p, tail - p
        mass += weight * p
        lower += weight * below
        upper += weight * tail
    return log(mass), lower, upper


def noncentral_chi_squared(x, df, noncentrality):
    """Σ_j P(J = j) of the chi-squared laws with df + 2j degrees, J Poisson of mean noncentrality/2."""
    a, y = df / 2, x / 2
    lower, upper = gamma_tails(a, y)
    step = exp(a * log(y) - y - loggamma(a + 1))  # P(a, y) − P(a + 1, y)
    density = total_lower = total_upper = mpf(0)
    for weight in poisson_weights(noncentrality / 2):
        density += weight * step * a / y
        total_lower += weight * lower
        total_upper += weight * upper
        lower, upper = lower - step, upper + step
        a += 1
        step = step * y / a
    return log(density / 2), total_lower, total_upper


def noncentral_t_lower(z, df, shift):
    """P(Z + shift <= z √(V/df)) for z > 0: Φ(−shift) and a series over the incomplete beta function of half-integers."""
    y, rest, half, square = z * z / (z * z + df), df / (z * z + df), mpf(1) / 2, shift * shift / 2
    total = mpf(0)
    for a, weight in ((half, exp(-square)), (mpf(1), exp(-square) * shift / sqrt(2) / gamma(half + 1))):
        tail = beta_tails(a, df / 2, y, rest)[0]
        step = exp(a * log(y) + df / 2 * log(rest) - log(a) - log_beta(a, df / 2))  # I_y(a, b) − I_y(a + 1, b)
        while a <= square or abs(weight) > ldexp(mpf(1), -mp.prec):
            total += weight * tail
            tail -= step
            step *= y * (a + df / 2) / (a + 1)
            weight *= square / (a + half)
            a += 1
    return normal_tails(-shift)[0] + total / 2


def noncentral_t(z, df, shift):
    """Density and tails of (Z + shift)/√(V/df): z f(z)/df is the difference of distribution functions at df + 2 and df."""
    if z < 0:
        log_density, lower, upper = noncentral_t(-z, df, -shift)
        return log_density, upper, lower
    lower = noncentral_t_lower(z, df, shift)
    beyond = noncentral_t_lower(z * sqrt(1 + 2 / df), df + 2, shift)
    return log(df / z * (beyond - lower)), lower, 1 - lower


@cache
def bessel_ratios(concentration, prec):
    """I_j(κ)/I_0(κ), j = 1, 2, …, by backward recurrence, and log I_0(κ) from exp(κ) = I_0 + 2 Σ I_j."""
    count = int(sqrt(2000 * concentration)) + 400
    ratio, ratios = mpf(0), []
    for j in range(2 * count, 0, -1):
        ratio = 1 / (2 * j / concentration + ratio)
        ratios.append(ratio)
    values, value = [], mpf(1)
    for ratio in ratios[: -count - 1 : -1]:
        value *= ratio
        values.append(value)
    return values, concentration - log(1 + 2 * sum(values))


def von_mises(x, loc, concentration):
    """The Fourier series of the cdf: angle/2π + Σ I_j/I_0 sin(j angle)/(jπ) between −π − loc and x − loc."""
    ratios, log_i0 = bessel_ratios(concentration, mp.prec)

    def primitive(angle):
        cosine, before, now, total = 2 * mp.cos(angle), mpf(0), mp.sin(angle), mpf(0)
        for j, ratio in enumerate(ratios, 1):
            total += ratio * now / j
            before, now = now, cosine * now - before
        return angle / (2 * pi) + total / pi

    lower = primitive(x - loc) - primitive(-pi - loc)
    return concentration * mp.cos(x - loc) - log(2 * pi) - log_i0, lower, 1 - lower


def inverse_gaussian(x, mean, shape):
    """Φ(s (x/μ − 1)) + exp(2 shape/μ) Φ(−s (x/μ + 1)), s = √(shape/x)."""
    s = sqrt(shape / x)
    lower = normal_tails(s * (x / mean - 1))[0] + exp(2 * shape / mean) * normal_tails(s * (x / mean + 1))[1]
    return log(shape / (2 * pi * x**3)) / 2 - shape * (x - mean) ** 2 / (2 * mean**2 * x), lower, 1 - lower


def exponentially_modified(x, loc, scale, rate):
    """Φ(z) − exp(−rate (x − loc) + (rate scale)²/2) Φ(z − rate scale)."""
    z, w = (x - loc) / scale, rate * scale
    part = exp(w * w / 2 - rate * (x - loc)) * normal_tails(z - w)[0]
    lower, upper = normal_tails(z)
    return log(rate * part), lower - part, upper + part


def skew_normal(x, loc, scale, shape):
    """The integral of 2 φ(t) Φ(shape t) over the thinner side, in panels of the width on which it falls by exp(8)."""
    z = (x - loc) / scale

    def density(t):
        return exp(log_normal_density(t)) * erfc(-shape * t / sqrt(2))

    with mp.workdps(64):
        value = density(z)
        sign = 1 if density(z + mpf(10) ** -20) < value else -1
        edges, width = [z], mpf(1)
        while density(z + sign * width) < value * exp(-8):
            width /= 2
        while density(edges[-1]) > value * mpf(10) ** -66:
            edges.append(edges[-1] + sign * width)
            width *= mpf(5) / 4 if density(edges[-1]) > density(edges[-2]) * exp(-8) else 1
        tail = value * abs(
            quad(lambda t: density(t) / value, edges, method="gauss-legendre")
        )  # its tolerance is absolute
    pair = (1 - tail, tail) if sign > 0 else (tail, 1 - tail)
    return log(value / scale), *pair


def logarithmic(k, p):
    """Σ_{j <= k} −p^j/(j log(1 − p))."""
    p_, power = fixed(p), MPZ(1) << mp.prec
    total, shift = MPZ(0), mp.prec
    for j in range(1, k + 1):
        power = (power * p_) >> shift
        total += power // j
    scale = -log1p(-p)
    lower = ldexp(mpf(total), -mp.prec) / scale
    return k * log(p) - log(k * scale), lower, 1 - lower
