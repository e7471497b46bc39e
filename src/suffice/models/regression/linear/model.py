"""Linear basis function models: the specification, and its fit by least squares."""

from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np

from suffice.models.bases.basis import as_basis
from suffice.models.bases.inputs import Inputs
from suffice.models.bases.polynomial import Linear
from suffice.models.regression.least_squares.data import RegressionData, RegressionSummary, TableRows
from suffice.models.regression.least_squares.design import Design, Rows
from suffice.models.regression.least_squares.named import apart, are_names, target_names
from suffice.models.regression.least_squares.solution import Deficient, solve
from suffice.models.regression.least_squares.statistic import GramStatistic, TriangleStatistic
from suffice.models.regression.linear.fit import LinearFit
from suffice.models.regression.linear.noise import LogVariance, NoiseFit, StudentTNoise
from suffice.models.regression.linear.noise_fit import fit_log_variance, fit_student_t
from suffice.models.regression.linear.robust import Covariance, check, filling, root_of
from suffice.numerics.checks import is_traced
from suffice.streams.table import Table


@dataclass(frozen=True)
class LinearBasisModel:
    """Linear basis function model with Gaussian noise: t = w_0 + Σ_j w_j phi_j(x) + noise (Bishop 3.3, 3.7).

    Args:
        basis: the functions phi_j, which compose by ``+`` and ``*``; a callable or a list of them will do. By default
            the inputs themselves; None for the constant alone.
        intercept: whether phi_0 = 1 comes first.
        noise: "gaussian", with one variance; "student_t" or ``StudentTNoise(df)``, whose heavy tails let outliers count
            little; ``LogVariance(basis)``, Gaussian with a log variance that depends on the inputs. Of the last two
            ``fit`` gives a ``NoiseFit``.

    Example:
        >>> import suffice as sf
        >>> fit = sf.LinearBasisModel(sf.Polynomial(2)).fit([0.0, 1.0, 2.0, 3.0, 4.0], [1.1, 1.9, 5.2, 9.8, 17.1])
        >>> fit.names, fit.weights.round(4).tolist()
        (('intercept', 'x', 'x^2'), [1.0829, -0.0957, 1.0214])
        >>> fit.standard_errors.round(4).tolist()
        [0.211, 0.25, 0.0599]
        >>> fit.predictive([5.0]).mean().round(4)
        Array([26.14], dtype=float64)
    """

    basis: Any = Linear()  # noqa: RUF009  a frozen value
    intercept: bool = True
    noise: Any = "gaussian"

    def __post_init__(self) -> None:
        noise = StudentTNoise() if self.noise == "student_t" else self.noise
        if noise != "gaussian" and not isinstance(noise, StudentTNoise | LogVariance):
            raise ValueError(
                f'noise must be "gaussian", "student_t", a StudentTNoise or a LogVariance, got {self.noise!r}'
            )
        object.__setattr__(self, "noise", noise)
        basis = self.basis
        if isinstance(basis, list | tuple):
            if not basis:
                raise ValueError(
                    "basis must have at least one function, got an empty list; None is for the constant alone"
                )
            parts = [as_basis(b) for b in basis]
            basis = parts[0]
            for part in parts[1:]:
                basis = basis + part
        object.__setattr__(self, "basis", None if basis is None else as_basis(basis))

    def fit(
        self,
        x: Any,
        t: Any = None,
        weights: Any = None,
        *,
        precisions: Any = None,
        offset: Any = None,
        rank_deficient: Deficient = "error",
        covariance: Covariance = "noise",
    ) -> Any:
        """Fit by maximum likelihood: argmin over w of Σ_i g_i b_i (t_i − offset_i − y(x_i, w))² (Bishop 3.15).

        Sums of squares and products are kept to some 28 digits, and the equations solved with 32, so that the
        weights and standard errors are as right as float64 data allow. Where the measured condition number of the
        columns is too large for that the data are read again and orthogonalised in 32 digits. ``fit.method`` tells.

        Args:
            x: inputs (n,), (n, d), a mapping or table of columns, ``sf.scan_table(path)`` for files larger than
                memory; or a ``RegressionSummary``, then nothing else.
            t: targets (n,), or (n, K) for several that share the decomposition; of a table the name of a column, or
                a list of names, and the others are inputs.
            weights: frequencies g, (n,), >= 0: weight g counts as g observations; ``scan_table`` names their column.
            precisions: b, (n,), > 0: the noise of row i has variance 1/(beta b_i).
            offset: a part of the targets that is known, (n,) or (n, K). Of a table all of these may be names of columns.
            rank_deficient: where columns depend on each other: "error" says which, "pivot" leaves out those that the
                ones before them determine, "minimum_norm" takes the weights of least Euclidean norm.
            covariance: of the weights: "noise", where all rows have one noise variance (over ``precisions``), or the
                "sandwich" that holds whatever their variances: "HC0", the same, or "HC1", "HC2", "HC3", which allow for
                small samples; the data are read once more.

        Returns:
            A ``LinearFit``; a ``NoiseFit`` where the noise is not Gaussian with one variance.

        Raises:
            DataError: values missing or infinite, unlike lengths, dependent columns.

        Source: Bishop 2006, 3.1; accuracy as in NIST's Statistical Reference Datasets.
        """
        if rank_deficient not in get_args(Deficient):
            raise ValueError(f"rank_deficient must be one of {', '.join(get_args(Deficient))}, got {rank_deficient!r}")
        check(covariance)
        if self.noise != "gaussian":
            return self._with_noise(x, t, weights, precisions, offset, rank_deficient, covariance)
        data = self.data(x, t, weights, precisions, offset)
        found = data.summarised()
        solution = solve(found.statistic, data.design.names, data.design.conversion, rank_deficient)
        fit = LinearFit(data.design, solution, found.statistic, found.reading, found.condition, data.single, data)
        if covariance == "noise":
            return fit
        filled = filling(data, solution, covariance, fit.residual_degrees_of_freedom)
        return replace(fit, spread=np.stack([root_of(c) for c in filled]), reading=fit.reading + 1)

    def _with_noise(
        self, x: Any, t: Any, weights: Any, precisions: Any, offset: Any, deficient: str, covariance: str
    ) -> NoiseFit:
        given = {
            "precisions": precisions is not None, "rank_deficient": deficient != "error", "covariance": covariance != "noise",
        }  # fmt: skip
        if any(given.values()):
            name = next(name for name, is_given in given.items() if is_given)
            raise ValueError(f"{name} is for Gaussian noise with one variance, the noise is {self.noise!r}")
        data = self.data(x, t, weights, None, offset)
        if not data.single:
            raise ValueError("a model with noise of its own is of one target: give t of shape (n,)")
        if data.rows is None:
            raise ValueError("this fit needs the data: a statistic is not enough")
        if isinstance(self.noise, LogVariance):
            return fit_log_variance(data, self.noise)
        return fit_student_t(data, self.noise)

    def statistics(
        self, x: Any, t: Any, weights: Any = None, *, precisions: Any = None, offset: Any = None, careful: bool = False
    ) -> RegressionSummary:
        """The statistic of some rows; those of other rows add to it, and ``fit`` takes their sum.

        Args:
            x, t, weights, precisions, offset: as for ``fit``.
            careful: orthogonalise in double-double: thirty times the work, for condition numbers above 1e6.

        Example:
            >>> import suffice as sf
            >>> model = sf.LinearBasisModel()
            >>> both = model.statistics([0.0, 1.0], [1.0, 3.0]) + model.statistics([2.0, 3.0], [5.0, 7.0])
            >>> model.fit(both).weights.tolist()
            [1.0, 2.0]
        """
        data = self.data(x, t, weights, precisions, offset)
        statistic = data.statistic(TriangleStatistic if careful else GramStatistic)
        return RegressionSummary(data.design, statistic, data.single)

    def settled(self, x: Any) -> "LinearBasisModel":
        """The model whose basis has its centres and scales from these inputs, for statistics that are to add."""
        return replace(self, basis=None if self.basis is None else self.basis.settled(Inputs.of(x)))

    def data(
        self, x: Any, t: Any, weights: Any = None, precisions: Any = None, offset: Any = None, trials: Any = None
    ) -> RegressionData:
        """Data as people have them, with the design they lead to: what every fit of these columns begins with."""
        if is_traced(x, t, weights, precisions, offset, trials):
            raise TypeError("fit is for known numbers: call it outside of compiled code; predictions compile")
        if isinstance(x, RegressionSummary):
            if any(a is not None for a in (t, weights, precisions, offset, trials)):
                raise TypeError("a RegressionSummary holds its targets and weights: give it alone")
            return RegressionData(x.design, x.single, None, x.statistic)
        if t is None:
            raise TypeError("fit needs targets t")
        if isinstance(x, Table):
            if weights is not None:
                raise TypeError("scan_table names the column of weights")
            rows = TableRows.of(x, t, precisions=precisions, offset=offset, trials=trials)
            design = Design.of(self.basis, self.intercept, rows.settling(self.basis))
            return RegressionData(design, isinstance(t, str), rows, targets=rows.names_of_targets)
        names, single = target_names(t), isinstance(t, str) or (not are_names(t) and np.ndim(t) == 1)
        x, t, beside = apart(x, t, weights=weights, precisions=precisions, offset=offset, trials=trials)
        trials = beside.pop("trials")
        rows = Rows.of(x, t, **beside)
        rows = rows if trials is None else rows.shares(trials)
        return RegressionData(Design.of(self.basis, self.intercept, rows.counted), single, rows, targets=names)
