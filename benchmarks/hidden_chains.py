"""Hidden Markov models beside hmmlearn in both its implementations, and state space models beside statsmodels.

One run, medians of a few turns; ours compiled, the seconds of the first call are printed beside. The likelihoods must be
equal. Nile: the annual flow in the tests; CO2: statsmodels' monthly series of Mauna Loa.

Run: python benchmarks/hidden_chains.py [times, default 100000] [states, default 16]
"""

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import statsmodels.api as sm
from hmmlearn import hmm

import suffice as sf

TURNS = 7


def seconds(call: Callable[[], Any]) -> tuple[float, float]:
    """Of the first call and the median of more."""
    spent = []
    for _ in range(TURNS + 1):
        began = time.perf_counter()
        jax.block_until_ready(call())
        spent.append(time.perf_counter() - began)
    return spent[0], float(np.median(spent[1:]))


def hidden_markov(times: int, states: int) -> None:
    rng = np.random.default_rng(0)
    transition = rng.dirichlet(np.full(states, 0.5), states) + 2.0 * np.eye(states)
    transition /= transition.sum(1, keepdims=True)
    loc = np.linspace(-10.0, 10.0, states)
    ours = sf.HiddenMarkov(np.full(states, 1.0 / states), transition, sf.Normal(loc, 1.5))
    x = np.asarray(ours.sample(times, rng=1))
    calls = {"log-likelihood": ours.log_prob, "posterior": ours.posterior, "best path": ours.viterbi}
    found = {name: seconds(lambda call=call: call(x)) for name, call in calls.items()}
    for kind in ("log", "scaling"):
        theirs = hmm.GaussianHMM(states, covariance_type="diag", implementation=kind, init_params="")
        theirs.startprob_, theirs.transmat_ = np.full(states, 1.0 / states), transition
        theirs.means_, theirs.covars_ = loc[:, None], np.full((states, 1), 2.25)
        column = x[:, None]
        same = {
            "log-likelihood": lambda theirs=theirs, column=column: theirs.score(column),
            "posterior": lambda theirs=theirs, column=column: theirs.predict_proba(column),
            "best path": lambda theirs=theirs, column=column: theirs.decode(column),
        }
        gap = float(ours.log_prob(x)) - theirs.score(column)
        print(f"hmmlearn ({kind}), T = {times:,}, K = {states}: log-likelihoods differ by {gap:.1e}")
        for name, call in same.items():
            first, again = found[name]
            spent = seconds(call)[1]
            print(
                f"  {name:15} {1e3 * again:8.1f} ms (first {first:.1f} s)   theirs {1e3 * spent:8.1f} ms   {spent / again:6.1f} x"
            )


def state_space() -> None:
    nile = np.asarray(sm.datasets.nile.load_pandas().data["volume"], float)
    co2 = np.asarray(sm.datasets.co2.load_pandas().data["co2"].resample("MS").mean())[:240]
    cases = (
        ("Nile, local level", nile, sf.LocalLevel(), {"level": "llevel"}, 1),
        ("CO2, trend and season", co2, sf.LocalTrend() + sf.Seasonal(12), {"level": "lltrend", "seasonal": 12}, 13),
    )
    for name, x, structure, spelled, unknown in cases:
        theirs = sm.tsa.UnobservedComponents(x, use_exact_diffuse=True, **spelled)
        first, again = seconds(lambda x=x, structure=structure: sf.fit_state_space(structure, x).log_likelihood)
        ours = sf.fit_state_space(structure, x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spent = seconds(lambda theirs=theirs: theirs.fit(disp=0).llf)[1]
            best = theirs.fit(disp=0)
        order = [next(n for n in ours.parameters if _matches(n, theirs_name)) for theirs_name in theirs.param_names]
        at = [ours.parameters[n] for n in order]
        gap = float(ours.log_likelihood) - 0.5 * unknown * np.log(2.0 * np.pi) - theirs.loglike(at)
        states = np.abs(np.asarray(ours.smooth().mean)[:, 0] - theirs.smooth(at).smoothed_state[0]).max()
        print(f"{name}: log-likelihoods at our estimates differ by {gap:.1e}, levels by {states:.1e}; theirs at its own is lower by "
              f"{theirs.loglike(at) - best.llf:.1e}")  # fmt: skip
        print(
            f"  fit {1e3 * again:8.1f} ms (first {first:.1f} s)   theirs {1e3 * spent:8.1f} ms   {spent / again:6.1f} x"
        )


def _matches(ours: str, theirs: str) -> bool:
    return {
        "sigma2.irregular": "noise.variance",
        "sigma2.level": "level.variance" if ours.startswith("level") else "trend.level_variance",
        "sigma2.trend": "trend.slope_variance",
        "sigma2.seasonal": "seasonal12.variance",
    }[theirs] == ours


if __name__ == "__main__":
    hidden_markov(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, int(sys.argv[2]) if len(sys.argv) > 2 else 16)
    state_space()
