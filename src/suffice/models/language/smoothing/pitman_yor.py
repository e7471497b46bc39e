"""The hierarchical Pitman–Yor language model, of which Kneser–Ney is an approximation."""

import random
from dataclasses import dataclass

import jax
import numpy as np

from suffice.models.language.counts import NgramCounts
from suffice.models.language.smoothing.additive import by_order
from suffice.models.language.smoothing.seating import Seating
from suffice.models.language.smoothing.tables import Smoothing, Tables, interpolated
from suffice.runtime.progress import Progress
from suffice.runtime.rng import RNG, as_key


@dataclass(frozen=True)
class PitmanYor(Smoothing):
    """Posterior mean under a hierarchical Pitman–Yor process, G_h ~ PY(d_k, theta_k, G_h'), by Gibbs sampling.

    p(w|h) = (c − d t)/(theta + c(h)) + (theta + d t(h))/(theta + c(h)) p(w|h'), with t the tables at which c customers
    sit. Both factors are averaged over sweeps. Time grows with tokens times orders times sweeps, some 10 microseconds
    each: for small texts.

    Args:
        sweeps: that are kept, >= 1.
        burn: sweeps before these, >= 0.
        discount: d in (0, 1): one number, or one for each order; None: drawn with the rest, prior Beta(1, 1).
        strength: theta > 0, likewise; prior Gamma(1, 1).
        rng: int or ``numpy.random.Generator`` or JAX key.
        quiet: show no progress.

    Teh, *A hierarchical Bayesian language model based on Pitman–Yor processes* (2006).

    Example:
        >>> import suffice as sf
        >>> model = sf.ngram(["a b a b", "a b a"], order=2, smoothing=sf.PitmanYor(sweeps=5, burn=5))
        >>> float(model.conditional(["a"]).probs.sum().round(12))
        1.0
    """

    sweeps: int = 20
    burn: int = 20
    discount: float | tuple[float, ...] | None = None
    strength: float | tuple[float, ...] | None = None
    rng: RNG = 0
    quiet: bool = True

    def __post_init__(self) -> None:
        if self.sweeps < 1 or self.burn < 0:
            raise ValueError(f"PitmanYor needs sweeps >= 1 and burn >= 0, got {self.sweeps} and {self.burn}")
        if (self.discount is None) != (self.strength is None):
            raise ValueError("PitmanYor: give both discount and strength, or neither")

    def tables(self, counts: NgramCounts) -> Tables:
        """The average over sweeps.

        Raises:
            ValueError: a discount is not in (0, 1) or a strength not > 0.
        """
        n = counts.order
        fixed = self.discount is not None and self.strength is not None
        d = by_order("PitmanYor.discount", self.discount, n) if self.discount is not None else (0.7,) * n
        theta = by_order("PitmanYor.strength", self.strength, n) if self.strength is not None else (1.0,) * n
        if not all(0.0 < v < 1.0 for v in d) or not all(0.0 < v < np.inf for v in theta):
            raise ValueError(f"PitmanYor.discount must be in (0, 1) and strength > 0, got {d} and {theta}")
        words = np.asarray(jax.random.key_data(as_key(self.rng))).astype(np.uint64)
        seed = int(words[0]) << 32 | int(words[1])
        generator = np.random.default_rng(seed)
        seating = Seating(counts, random.Random(seed), list(d), list(theta))
        sums: list[tuple[np.ndarray, np.ndarray]] = []
        with Progress("seating", self.burn + self.sweeps, quiet=self.quiet, unit="sweeps") as progress:
            for sweep in range(self.burn + self.sweeps):
                seating.sweep()
                if not fixed:
                    seating.settings(generator)
                if sweep >= self.burn:
                    now = [seating.weights(k) for k in range(n)]
                    sums = now if not sums else [(a + c, b + e) for (a, b), (c, e) in zip(sums, now, strict=True)]
                progress.update(1)
        mean = [(a / self.sweeps, b / self.sweeps) for a, b in sums]
        return interpolated(counts, [level.count for level in counts.levels], lambda k, *_: mean[k - 1])
