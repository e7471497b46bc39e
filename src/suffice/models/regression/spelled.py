"""Regressions from their texts: family of the targets, link, noise, prior."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from suffice.distributions import spelled as families
from suffice.distributions.negative_binomial import NegativeBinomial
from suffice.models.bases import spelled as bases
from suffice.models.regression.bayesian.evidence import evidence_fit
from suffice.models.regression.bayesian.model import BayesianLinearModel
from suffice.models.regression.choice.multinomial import MultinomialRegression
from suffice.models.regression.choice.ordinal import OrdinalRegression
from suffice.models.regression.generalised.model import GeneralizedLinearModel
from suffice.models.regression.generalised.response import RESPONSES
from suffice.models.regression.linear.model import LinearBasisModel
from suffice.models.regression.linear.noise import LogVariance, StudentTNoise

CHOICES = ("ordinal", "multinomial")


@dataclass(frozen=True)
class Spelled:
    """A regression as a user writes it.

    Attributes:
        basis: as of ``bases.spelled``.
        family: "normal", for least squares; another with what it holds, as "poisson", "negative_binomial(concentration=2)"
            or "binomial", which is Bernoulli's; "ordinal" or "multinomial" for classes.
        link: of the family; None for its own.
        noise: "gaussian", "student_t", "student_t:DF" or "log_variance:BASIS".
        prior: "none", "evidence" or "ridge:PENALTY".
        classes: in their order; those of the data where there are none.
        intercept: whether the constant comes first.
    """

    basis: str = "linear"
    family: str = "normal"
    link: str | None = None
    noise: str = "gaussian"
    prior: str = "none"
    classes: Sequence[str] = ()
    intercept: bool = True

    def __post_init__(self) -> None:
        default = {"link": None, "noise": "gaussian", "prior": "none", "classes": ()}
        given = {name: getattr(self, name) for name, usual in default.items() if getattr(self, name) != usual}
        takes = ("link", "classes") if self.choice else ("link", "noise", "prior") if self.plain else ("link",)
        for name, value in given.items():
            if name not in takes:
                raise ValueError(f"{name} is not for family {self.family}, got {value!r}")
        if self.plain and len(given) > 1:
            told = " with ".join(f"{name} {value!r}" for name, value in given.items())
            raise ValueError(f"{' and '.join(given)} do not go together, got {told}")

    @property
    def plain(self) -> bool:
        """Whether targets are normal."""
        return self.family.lower() in ("normal", "gaussian")

    @property
    def choice(self) -> bool:
        """Whether targets are classes."""
        return self.family.lower() in CHOICES

    @property
    def takes(self) -> tuple[str, ...]:
        """What ``fitting`` takes beside inputs, targets and weights."""
        if self.choice:
            return ()
        if not self.plain or self.link is not None:
            return ("offset", "trials")
        least_squares = (self.noise, self.prior) == ("gaussian", "none")
        return ("offset", "rank_deficient", "covariance") if least_squares else ("offset",)

    def labels(self) -> tuple[str, ...]:
        """Inputs that the bases read as text."""
        _, _, variance = self.noise.partition("log_variance:")
        parts = (bases.basis(text) for text in (self.basis, variance or "none"))
        return tuple(dict.fromkeys(name for part in parts if part is not None for name in part.labels()))

    def fitting(self) -> Callable[..., Any]:
        """What fits it, of inputs and targets.

        Raises:
            ValueError: a text that says nothing, or a link that the family does not have.
        """
        basis, classes = bases.basis(self.basis), self.classes or None
        match self.family.lower():
            case "ordinal":
                if not self.intercept:
                    raise ValueError(
                        "the thresholds of family ordinal take the part of the intercept: it cannot be left out"
                    )
                return OrdinalRegression(basis, self.link or "logit", classes).fit  # type: ignore[arg-type]
            case "multinomial":
                if self.link not in (None, "logit"):
                    raise ValueError(f"the link of family multinomial is logit, got {self.link!r}")
                return MultinomialRegression(basis, self.intercept, classes).fit
        if not self.plain or self.link is not None:
            return GeneralizedLinearModel(self._family(), basis, self.intercept, self.link).fit
        if self.prior == "evidence":
            return partial(evidence_fit, LinearBasisModel(basis, self.intercept))
        if self.prior != "none":
            return BayesianLinearModel(basis, self.intercept, weights=_penalty(self.prior)).fit
        return LinearBasisModel(basis, self.intercept, self._noise()).fit

    def _family(self) -> Any:
        name = self.family.partition("(")[0].replace("_", "").replace("-", "").strip().lower()
        name = {"gaussian": "normal", "binomial": "bernoulli"}.get(name, name)  # the same, told by successes of trials
        known = [kind.__name__ for kind in (*RESPONSES, NegativeBinomial)]
        if name not in map(str.lower, known):
            raise ValueError(f"family must be one of {', '.join((*known, 'binomial', *CHOICES))}, got {self.family!r}")
        held = self.family.partition("(")[1:]
        return families.family_of(name + "".join(held))

    def _noise(self) -> Any:
        kind, _, text = self.noise.partition(":")
        if kind == "log_variance" and text:
            return LogVariance(bases.basis(text))
        try:
            if kind == "student_t":
                return StudentTNoise(float(text) if text else None)
        except ValueError:
            kind = ""
        if kind != "gaussian" or text:
            raise ValueError(
                f"noise must be gaussian, student_t, student_t:DF with DF > 0 or log_variance:BASIS, got {self.noise!r}"
            )
        return kind


def _penalty(text: str) -> float:
    """The number of ``ridge:1e-2``."""
    kind, _, value = text.partition(":")
    try:
        penalty = float(value)
    except ValueError:
        penalty = math.nan
    if kind != "ridge" or not 0.0 < penalty < math.inf:
        raise ValueError(f"prior must be none, evidence or ridge:PENALTY with a penalty > 0, got {text!r}")
    return penalty
