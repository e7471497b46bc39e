"""Components that are normal or Student-t, of vectors or numbers, with structured covariances.

Sums come in the units of each component, so that its new covariance is L_k S L_kᵀ with S near the identity, whose factor
is found at the condition number of L_k.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.distributions.multivariate_normal import MultivariateNormal
from suffice.distributions.multivariate_t import MultivariateT
from suffice.distributions.normal import Normal
from suffice.distributions.student_t import StudentT
from suffice.models.mixture.coordinates import LARGEST_DF, Coordinates
from suffice.models.mixture.degrees import degrees
from suffice.models.mixture.expectation import LOG_2PI
from suffice.models.mixture.structures import Structure
from suffice.models.mixture.triangles import cholesky, inverse, second_moments
from suffice.models.mixture.whitening import NormalKernel, Scaled, Separate, Shared, Whitening
from suffice.numerics.special.gamma import stirling_error

EMPTY = 1e-10  # a component that expects fewer observations than this keeps its parameters
_SMALLEST = 1e-7  # of a component's spread in any direction, relative to that of the data: below, it has collapsed

Params = dict[str, np.ndarray]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["centre", "spread"],
    meta_fields=["count", "columns", "structure", "prior", "df", "vectors", "ridge", "general"],
)
@dataclass(frozen=True)
class NormalComponents:
    """K normal components of one structure; Student's t where there are degrees of freedom.

    Attributes:
        count: K.
        columns: first and last column, exclusive, of their part of a row.
        structure: what the covariances have in common.
        centre: near the middle of the data, (d,).
        spread: covariance of the data, (d, d): the unit of the parameters, and the spread of a prior.
        prior: number of pseudo-observations that each covariance is drawn from beforehand.
        df: None for normal components, NaN for t with free degrees of freedom, else these.
        vectors: whether components are of vectors rather than numbers.
        ridge: added to each variance after each step, as scikit-learn does.
        general: whether rows are whitened the same way whatever the structure, so that one program serves all.
    """

    count: int
    columns: tuple[int, int]
    structure: Structure
    centre: np.ndarray
    spread: np.ndarray
    prior: float = 0.0
    df: float | None = None
    vectors: bool = True
    ridge: float = 0.0
    general: bool = False

    @property
    def kernel(self) -> NormalKernel:
        return NormalKernel(self.columns, self.df is not None)

    @property
    def d(self) -> int:
        return len(self.centre)

    @property
    def dimension(self) -> int:
        """Number of free parameters, weights aside."""
        free_df = self.count if self.df is not None and np.isnan(self.df) else 0
        return self.count * self.d + self.structure.dimension(self.count, self.d) + free_df

    @property
    def accelerates(self) -> bool:
        """Whether points between and beyond members are members, in the coordinates of ``vector``."""
        return self.structure.linear

    exchangeable = True

    @property
    def _scatter(self) -> np.ndarray:
        """Scatter matrix of the pseudo-observations: spread as if the data were shared out among the components."""
        scatter = self.prior * self.spread / self.count ** (2.0 / self.d)
        return np.diag(np.diag(scatter)) if self.structure.diagonal else scatter

    # -- parameters: loc (R, K, d) from the centre, root (R, K, d, d), df (R, K) -----------------------------------------

    def prepare(self, p: Params) -> dict[str, np.ndarray]:
        """What the kernel wants."""
        root, d = p["root"], self.d
        diagonal = np.diagonal(root, axis1=-2, axis2=-1)
        with np.errstate(all="ignore"):
            constant = -np.log(diagonal).sum(-1) - 0.5 * d * LOG_2PI
            if self.structure.diagonal and not self.general:
                whitening: Whitening = Scaled.of(1.0 / diagonal, p["loc"] / diagonal)
            else:
                shared = self._is_shared(root) and not self.general
                whitener = inverse(root[:, :1] if shared else root)
                offset = (whitener @ p["loc"][..., None])[..., 0]
                whitening = Shared(whitener[:, 0], offset) if shared else Separate(whitener, offset)
        found = {"whitening": whitening, "constant": constant}
        if self.df is not None:
            df = p["df"]
            a, h = 0.5 * df, 0.5 * d
            growth = (a + h - 0.5) * np.log1p(h / a) - h + np.asarray(stirling_error(a + h) - stirling_error(a))
            found |= {"df": df, "constant": found["constant"] + growth}
        centre = np.broadcast_to(self.centre, (len(root), d))
        return found | {"centre": centre, "count_of": found["constant"]}

    def start(self, x: np.ndarray, r: np.ndarray) -> Params:
        """Parameters from rows and responsibilities (K, n), of one run."""
        part = x[:, self.columns[0] : self.columns[1]] - self.centre
        n = r.sum(1) + 1e-300
        loc = r @ part / n[:, None]
        scatter = np.stack([(w[:, None] * (part - m)).T @ (part - m) for w, m in zip(r, loc, strict=True)])
        slack = 0.0 if self.ridge else 1e-6 * np.diag(np.diag(self.spread))  # a start is never singular
        p = {"loc": loc[None], "root": self._rooted(n[None], (scatter + n[:, None, None] * slack)[None], None)}
        if self.df is not None:
            p["df"] = np.full((1, self.count), 8.0 if np.isnan(self.df) else self.df)
        return p

    def _is_shared(self, root: np.ndarray) -> bool:
        """Whether the components of each run have one covariance, and are to keep it."""
        return self.structure.name == "EEE" and bool(np.all(root == root[:, :1]))

    def _rooted(self, n: np.ndarray, scatter: np.ndarray, before: np.ndarray | None) -> np.ndarray:
        """Cholesky factors of the covariances of highest likelihood."""
        if self.prior:
            n, scatter = n + self.prior, scatter + self._scatter
        before = scatter / n[..., None, None] if before is None else before
        with np.errstate(all="ignore"):
            return cholesky(self.structure.estimate(n, scatter, before) + self.ridge * np.eye(self.d))

    def maximise(self, p: Params, n: np.ndarray, sums: dict[str, np.ndarray]) -> Params:
        """The M-step: parameters of highest expected likelihood from counts (R, K) and sums."""
        some = n > EMPTY
        count = np.where(some, n, 1.0)
        mass = np.where(some, sums["mass"], 1.0) if self.df is not None else count
        # with tails, mass in place of the count is a step of PX-EM: as good a climb, and faster
        divisor = mass if self.structure.name[0] == "V" and not self.prior else count
        root, loc = p["root"], p["loc"]
        first = sums["first"] / mass[..., None]
        whitener = inverse(root)
        inner = second_moments(sums, loc, whitener)
        inner = (inner - mass[..., None, None] * first[..., :, None] * first[..., None, :]) / divisor[..., None, None]
        new_loc = loc + (root @ first[..., None])[..., 0]
        new_root = self._rooted_from(root, whitener, n, some, inner)
        found = {
            "loc": np.where(some[..., None], new_loc, loc),
            "root": np.where(some[..., None, None], new_root, root) if self.structure.name[0] == "V" else new_root,
        }
        if self.df is not None:
            found["df"] = (
                p["df"]
                if not np.isnan(self.df)
                else degrees(p["df"], self.d, some, sums["excess"] / count, sums["deviation"] / count)
            )
        return found

    def _rooted_from(
        self, root: np.ndarray, whitener: np.ndarray, n: np.ndarray, some: np.ndarray, inner: np.ndarray
    ) -> np.ndarray:
        """Cholesky factors from covariances in units of the factors before."""
        count = np.where(some, n, 1e-100)
        inner = _where(some, inner, np.eye(self.d))
        shared = self._is_shared(root)
        if (self.structure.name == "VVV" or shared) and not self.ridge:  # the same in any units
            units = root if self.structure.name == "VVV" else root[:, :1]
            scatter = count[..., None, None] * inner
            if self.prior:
                back = whitener if self.structure.name == "VVV" else whitener[:, :1]
                scatter = scatter + back @ self._scatter @ np.swapaxes(back, -1, -2)
                count = count + self.prior
            with np.errstate(all="ignore"):
                return units @ cholesky(self.structure.estimate(count, scatter, inner))
        scatter = count[..., None, None] * (root @ inner @ np.swapaxes(root, -1, -2))
        return self._rooted(count, scatter, root @ np.swapaxes(root, -1, -2))

    def penalty(self, p: Params) -> np.ndarray:
        """Logarithm of the prior's density up to a constant, (R,)."""
        if not self.prior:
            return np.zeros(p["loc"].shape[0])
        whitener = inverse(p["root"])
        quadratic = np.trace(whitener @ self._scatter @ np.swapaxes(whitener, -1, -2), axis1=-2, axis2=-1)
        log_det = np.log(np.diagonal(p["root"], axis1=-2, axis2=-1)).sum(-1)
        return -(self.prior * log_det + 0.5 * quadratic).sum(-1)

    # -- coordinates -----------------------------------------------------------------------------------------------------

    @property
    def coordinates(self) -> Coordinates:
        free_df = self.df is not None and bool(np.isnan(self.df))
        xp: Any = jnp if isinstance(self.spread, jax.Array) else np
        return Coordinates(self.structure, xp.sqrt(xp.diagonal(self.spread)), free_df)

    def vector(self, p: Params) -> np.ndarray:
        """Unconstrained coordinates, (R, K, m), in units of the data's spread."""
        return self.coordinates.of(p["loc"], p["root"], p.get("df"))

    def build(self, v: np.ndarray, like: Params) -> Params:
        """The inverse of ``vector``."""
        return like | self.coordinates.back(v)

    def sound(self, p: Params) -> np.ndarray:
        """Whether each component has spread in all directions, (R, K)."""
        whole = np.diagonal(np.linalg.cholesky(self.spread))
        with np.errstate(invalid="ignore"):
            share = np.diagonal(p["root"], axis1=-2, axis2=-1) / whole
            return (share > _SMALLEST).all(-1) & np.isfinite(share).all(-1) & np.isfinite(p["loc"]).all(-1)

    def at_limit(self, p: Params) -> np.ndarray:
        """Which coordinates have run so far that the likelihood is flat in them, (R, K, m): degrees of freedom."""
        found = np.zeros((*p["loc"].shape[:2], self.size), bool)
        if self.df is not None and np.isnan(self.df):
            found[..., -1] = p["df"] >= LARGEST_DF * (1.0 - 1e-9)
        return found

    def limits(self, p: Params) -> list[tuple[int, str, Any]]:
        """Components of one run that have become normal, with the parameter that made them so."""
        kind = MultivariateNormal if self.vectors else Normal
        return [(int(k), "df", kind) for k in np.flatnonzero(self.at_limit(p)[0].any(-1))]

    def of_members(self, members: list[Any]) -> Params:
        """Parameters of one run from distributions."""
        if self.vectors:
            loc = np.stack([np.asarray(m.loc) for m in members])
            root = np.stack([np.asarray(m.scale_tril) for m in members])
        else:
            loc = np.array([[float(m.loc)] for m in members])
            root = np.array([[[float(m.scale)]] for m in members])
        p = {"loc": loc[None] - self.centre, "root": root[None]}
        if self.df is not None:
            p["df"] = np.array([[float(m.df) for m in members]])
        return p

    def member_at(self, v: Any) -> Distribution:
        """One component from its coordinates; traceable."""
        loc, root, df = self.coordinates.traced(v)
        df = self.df if df is None else df
        loc = loc + self.centre
        values = {"loc": loc, "scale_tril": root} if self.vectors else {"loc": loc[0], "scale": root[0, 0]}
        return self.example._replaced(values if df is None else values | {"df": jnp.asarray(df)})

    @property
    def size(self) -> int:
        """Number of coordinates of a component."""
        return self.coordinates.size

    @property
    def example(self) -> Any:
        """Any component."""
        d = self.d
        zero, one = jnp.zeros(()), jnp.ones(())
        if self.vectors:
            unit = np.eye(d)
            if self.df is None:
                return MultivariateNormal.from_cholesky(np.zeros(d), unit)
            return MultivariateT(one, np.zeros(d), scale_tril=unit)  # type: ignore[arg-type]
        return Normal(zero, one) if self.df is None else StudentT(one, zero, scale=one)

    @property
    def reported(self) -> Family:
        """The family in whose parameters a component is told."""
        blank = self.example
        held = ("df",) if self.df is not None and not np.isnan(self.df) else ()
        return Family(blank, tuple((name,) for name in blank.field_names() if name not in held))

    def directions(self, p: Params) -> np.ndarray:
        """Basis of the coordinates that vary from those of one run, (free, K, m)."""
        return self.coordinates.directions(p["root"][0])

    def bend(self, p: Params, slope: np.ndarray) -> np.ndarray:
        """Second derivatives of slope · v along the directions, (free, free)."""
        if self.structure.linear:
            return np.zeros(2 * (len(self.directions(p)),))
        return self.coordinates.bend(p["root"][0], slope)

    def members(self, p: Params) -> list[Distribution]:
        """The components of one run as distributions."""
        loc, root = p["loc"][0] + self.centre, p["root"][0]
        df = p["df"][0] if self.df is not None else None
        if self.vectors:
            if df is None:
                return [MultivariateNormal.from_cholesky(m, s) for m, s in zip(loc, root, strict=True)]
            return [MultivariateT(v, m, scale_tril=s) for v, m, s in zip(df, loc, root, strict=True)]  # type: ignore[arg-type]
        if df is None:
            return [Normal(m, s) for m, s in zip(loc[:, 0], root[:, 0, 0], strict=True)]
        return [StudentT(v, m, scale=s) for v, m, s in zip(df, loc[:, 0], root[:, 0, 0], strict=True)]


def _where(some: np.ndarray, matrices: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    return np.where(some[..., None, None], matrices, otherwise)
