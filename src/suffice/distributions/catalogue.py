"""The catalogue: every family, what ranking may propose, and its names elsewhere. Adding a family adds one line here."""

from typing import Any, NamedTuple

from suffice.distributions.asymmetric_laplace import AsymmetricLaplace
from suffice.distributions.bernoulli import Bernoulli, Categorical
from suffice.distributions.beta import Beta
from suffice.distributions.beta_binomial import BetaBinomial
from suffice.distributions.beta_prime import BetaPrime, F
from suffice.distributions.binomial import Binomial
from suffice.distributions.burr import Burr12, Kumaraswamy, Lomax
from suffice.distributions.chi import Chi, ChiSquared
from suffice.distributions.dirichlet import Dirichlet
from suffice.distributions.discrete_uniform import DiscreteUniform
from suffice.distributions.distribution import Distribution
from suffice.distributions.exponentially_modified import ExponentiallyModifiedNormal
from suffice.distributions.extreme import Rayleigh, Weibull
from suffice.distributions.gamma import Exponential, Gamma
from suffice.distributions.generalized_extreme import GeneralizedExtremeValue, GeneralizedPareto
from suffice.distributions.geometric import Geometric
from suffice.distributions.half import HalfCauchy, HalfNormal, Maxwell
from suffice.distributions.hypergeometric import Hypergeometric
from suffice.distributions.inverse_gamma import InverseGamma
from suffice.distributions.inverse_gaussian import InverseGaussian
from suffice.distributions.lkj import LKJ
from suffice.distributions.location_scale import Gumbel, Laplace, Logistic
from suffice.distributions.log_logistic import LogLogistic
from suffice.distributions.log_uniform import LogUniform
from suffice.distributions.logarithmic import Logarithmic
from suffice.distributions.matrix_normal import MatrixNormal
from suffice.distributions.multinomial import DirichletMultinomial, Multinomial
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.multivariate_t import MultivariateT
from suffice.distributions.negative_binomial import NegativeBinomial
from suffice.distributions.noncentral_chi_squared import NoncentralChiSquared
from suffice.distributions.noncentral_t import NoncentralT
from suffice.distributions.normal import LogNormal, Normal
from suffice.distributions.normal_inverse import NormalInverseGamma, NormalInverseWishart
from suffice.distributions.poisson import Poisson
from suffice.distributions.skellam import Skellam
from suffice.distributions.skew_normal import SkewNormal
from suffice.distributions.student_t import Cauchy, StudentT
from suffice.distributions.triangular import Triangular
from suffice.distributions.uniform import Pareto, Uniform
from suffice.distributions.von_mises import VonMises
from suffice.distributions.von_mises_fisher import VonMisesFisher
from suffice.distributions.wishart import InverseWishart, Wishart
from suffice.distributions.zeta import Zeta


class Entry(NamedTuple):
    """A row of the catalogue: the class, its names in R and SciPy, and whether a ranking tries it unasked."""

    kind: type[Distribution]
    r: str
    scipy: str
    ranked: bool = True

    @property
    def name(self) -> str:
        return self.kind.__name__


CATALOGUE: tuple[Entry, ...] = (
    Entry(Normal, "norm(mean=loc, sd=scale)", "norm(loc=loc, scale=scale)"),
    Entry(LogNormal, "lnorm(meanlog=loc, sdlog=scale)", "lognorm(s=scale, scale=exp(loc))"),
    Entry(Exponential, "exp(rate=rate)", "expon(scale=1/rate)"),
    Entry(Gamma, "gamma(shape=concentration, rate=rate)", "gamma(a=concentration, scale=1/rate)"),
    Entry(InverseGamma, "invgamma(shape=concentration, rate=scale)", "invgamma(a=concentration, scale=scale)"),
    Entry(Weibull, "weibull(shape=concentration, scale=scale)", "weibull_min(c=concentration, scale=scale)"),
    Entry(Beta, "beta(shape1=alpha, shape2=beta)", "beta(a=alpha, b=beta)"),
    Entry(StudentT, "t((x-loc)/scale, df=df)", "t(df=df, loc=loc, scale=scale)"),
    Entry(Logistic, "logis(location=loc, scale=scale)", "logistic(loc=loc, scale=scale)"),
    Entry(Laplace, "laplace(location=loc, scale=scale)", "laplace(loc=loc, scale=scale)"),
    Entry(Cauchy, "cauchy(location=loc, scale=scale)", "cauchy(loc=loc, scale=scale)"),
    Entry(Gumbel, "gumbel(loc=loc, scale=scale)", "gumbel_r(loc=loc, scale=scale)"),
    Entry(Pareto, "pareto(shape=concentration, scale=scale)", "pareto(b=concentration, scale=scale)"),
    Entry(Uniform, "unif(min=low, max=high)", "uniform(loc=low, scale=high-low)"),
    Entry(Rayleigh, "rayleigh(scale=scale)", "rayleigh(scale=scale)"),
    Entry(Bernoulli, "binom(size=1, prob=probs)", "bernoulli(p=probs)"),
    Entry(Poisson, "pois(lambda=rate)", "poisson(mu=rate)"),
    Entry(Geometric, "geom(prob=probs)", "geom(p=probs, loc=-1)"),
    Entry(NegativeBinomial, "nbinom(mu=mean, size=concentration)",
          "nbinom(n=concentration, p=concentration/(concentration+mean))"),
    Entry(ChiSquared, "chisq(df=df)", "chi2(df=df)", ranked=False),
    Entry(Chi, "chi(df=df)", "chi(df=df)", ranked=False),
    Entry(HalfNormal, "hnorm(sigma=scale)", "halfnorm(scale=scale)", ranked=False),
    Entry(Maxwell, "maxwell(sigma=scale)", "maxwell(scale=scale)", ranked=False),
    Entry(HalfCauchy, "hcauchy(sigma=scale)", "halfcauchy(scale=scale)", ranked=False),
    Entry(InverseGaussian, "invgauss(mean=loc, shape=concentration)",
          "invgauss(mu=loc/concentration, scale=concentration)", ranked=False),
    Entry(Lomax, "lomax(lambda=1/scale, kappa=concentration)", "lomax(c=concentration, scale=scale)", ranked=False),
    Entry(Burr12, "burr(shape1=beta, shape2=alpha, scale=scale)", "burr12(c=alpha, d=beta, scale=scale)", ranked=False),
    Entry(Kumaraswamy, "kumar(a=alpha, b=beta)", "", ranked=False),
    Entry(LogLogistic, "llogis(shape=concentration, scale=scale)", "fisk(c=concentration, scale=scale)", ranked=False),
    Entry(GeneralizedPareto, "gpd(scale=scale, shape=shape)", "genpareto(c=shape, scale=scale)", ranked=False),
    Entry(GeneralizedExtremeValue, "gev(loc=loc, scale=scale, shape=shape)",
          "genextreme(c=-shape, loc=loc, scale=scale)", ranked=False),
    Entry(ExponentiallyModifiedNormal, "emg(mu=loc, sigma=scale, lambda=rate)",
          "exponnorm(K=1/(scale*rate), loc=loc, scale=scale)", ranked=False),
    Entry(BetaPrime, "extraDistr::betapr(shape1=alpha, shape2=beta)", "betaprime(a=alpha, b=beta)", ranked=False),
    Entry(F, "f(df1=df1, df2=df2)", "f(dfn=df1, dfd=df2)", ranked=False),
    Entry(LogUniform, "logunif(min=low, max=high)", "loguniform(a=low, b=high)", ranked=False),
    Entry(SkewNormal, "sn::sn(xi=loc, omega=scale, alpha=shape)", "skewnorm(a=shape, loc=loc, scale=scale)", ranked=False),
    Entry(AsymmetricLaplace, "VGAM::alaplace(location=loc, scale=scale, kappa=asymmetry)",
          "laplace_asymmetric(kappa=asymmetry, loc=loc, scale=scale)", ranked=False),
    Entry(Triangular, "triangle::triangle(a=low, b=high, c=peak)",
          "triang(c=(peak-low)/(high-low), loc=low, scale=high-low)", ranked=False),
    Entry(NoncentralChiSquared, "chisq(df=df, ncp=noncentrality)", "ncx2(df=df, nc=noncentrality)", ranked=False),
    Entry(NoncentralT, "t((x-loc)/scale, df=df, ncp=noncentrality)", "nct(df=df, nc=noncentrality, loc=loc, scale=scale)",
          ranked=False),
    Entry(VonMises, "circular::vonmises(mu=loc, kappa=concentration)", "", ranked=False),
    Entry(Categorical, "sample(prob=probs)", "rv_discrete(values=(k, probs))", ranked=False),
    Entry(Binomial, "binom(size=total_count, prob=probs)", "binom(n=total_count, p=probs)", ranked=False),
    Entry(BetaBinomial, "extraDistr::bbinom(size=total_count, alpha=alpha, beta=beta)",
          "betabinom(n=total_count, a=alpha, b=beta)", ranked=False),
    Entry(Hypergeometric, "hyper(m=successes, n=population-successes, k=draws)",
          "hypergeom(M=population, n=successes, N=draws)", ranked=False),
    Entry(Logarithmic, "extraDistr::lgser(theta=probs)", "logser(p=probs)", ranked=False),
    Entry(Skellam, "skellam::skellam(lambda1=rate1, lambda2=rate2)", "skellam(mu1=rate1, mu2=rate2)", ranked=False),
    Entry(DiscreteUniform, "purrr::rdunif(a=low, b=high)", "randint(low=low, high=high+1)", ranked=False),
    Entry(Zeta, "VGAM::zeta(shape=exponent-1)", "zipf(a=exponent)", ranked=False),
    Entry(MultivariateNormal, "mvtnorm::mvnorm(mean=loc, sigma=covariance)", "multivariate_normal(mean=loc, cov=covariance)",
          ranked=False),
    Entry(MultivariateT, "mvtnorm::mvt(df=df, delta=loc, sigma=scale)", "multivariate_t(df=df, loc=loc, shape=scale)",
          ranked=False),
    Entry(Dirichlet, "MCMCpack::dirichlet(alpha=concentration)", "dirichlet(alpha=concentration)", ranked=False),
    Entry(Multinomial, "multinom(size=total_count, prob=probs)", "multinomial(n=total_count, p=probs)", ranked=False),
    Entry(DirichletMultinomial, "extraDistr::dirmnom(size=total_count, alpha=concentration)",
          "dirichlet_multinomial(n=total_count, alpha=concentration)", ranked=False),
    Entry(Wishart, "rWishart(df=df, Sigma=scale)", "wishart(df=df, scale=scale)", ranked=False),
    Entry(InverseWishart, "MCMCpack::iwish(v=df, S=scale)", "invwishart(df=df, scale=scale)", ranked=False),
    Entry(LKJ, "rethinking::lkjcorr(eta=concentration, K=dimension)", "", ranked=False),
    Entry(MatrixNormal, "matrixNormal::matnorm(M=loc, U=row_covariance, V=column_covariance)",
          "matrix_normal(mean=loc, rowcov=row_covariance, colcov=column_covariance)", ranked=False),
    Entry(NormalInverseGamma, "", "normal_inverse_gamma(mu=loc, lmbda=pseudo_count, a=concentration, b=scale)",
          ranked=False),
    Entry(NormalInverseWishart, "", "", ranked=False),
    Entry(VonMisesFisher, "movMF::movMF(theta=concentration*direction)", "vonmises_fisher(mu=direction, kappa=concentration)",
          ranked=False),
)  # fmt: skip

BY_NAME: dict[str, Entry] = {entry.name.lower(): entry for entry in CATALOGUE}


def find(name: str) -> type[Distribution]:
    """The family of that name, upper and lower case alike.

    Raises:
        ValueError: there is none; the message lists those that exist.
    """
    entry = BY_NAME.get(name.replace("-", "").replace("_", "").lower())
    if entry is None:
        raise ValueError(f"there is no family {name!r}; families: {', '.join(e.name.lower() for e in CATALOGUE)}")
    return entry.kind


def describe(kind: Any) -> Entry | None:
    """The catalogue's row of a class, if it is there."""
    return BY_NAME.get(kind.__name__.lower())
