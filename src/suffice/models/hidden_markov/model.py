"""Hidden Markov models as values."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.distributions.declaration import as_pytree
from suffice.distributions.distribution import Distribution
from suffice.distributions.mixture import Mixture
from suffice.models.hidden_markov import paths
from suffice.models.hidden_markov.recursion import Chain, expected, filtered, log_likelihood
from suffice.models.hidden_markov.sequences import Line, line, split
from suffice.models.hidden_markov.stretches import in_line, in_memory
from suffice.numerics import array_domain
from suffice.numerics.checks import checked, is_traced
from suffice.runtime.rng import RNG, as_key


@dataclass(frozen=True, eq=False)
class HiddenMarkov:
    """Hidden Markov model: values come from one of K distributions, chosen by a Markov chain.

        p(x, z) = initial[z_1] ∏_t transition[z_{t−1}, z_t] ∏_t p_{z_t}(x_t)

    Sequences are arrays (T,), or (T, d) for distributions of vectors, or lists of them. A value that is NaN was not
    observed. Probabilities are summed exactly and never underflow.

    Args:
        initial: probabilities of the first state, (K,).
        transition: from each state (row) to each, (K, K), rows summing to 1.
        emissions: distributions of the values: a list of K, or one whose last batch axis counts states.

    Raises:
        ValueError: probabilities that do not sum to 1, numbers of states that differ.

    Source: Rabiner 1989, doi:10.1109/5.18626; Bishop 13.2.

    Example:
        >>> import suffice as sf
        >>> p = sf.HiddenMarkov([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], sf.Normal([0.0, 4.0], 1.0))
        >>> x = [0.1, -0.2, 3.9, 4.2]
        >>> round(float(p.log_prob(x)), 6), p.viterbi(x)[0].tolist()
        (-7.049144, [0, 0, 1, 1])
        >>> p.posterior(x)[1].round(4).tolist()
        [0.9999, 0.0001]
    """

    initial: Any
    transition: Any
    emissions: Any

    def __post_init__(self) -> None:
        initial = checked("HiddenMarkov.initial", array_domain.simplex, self.initial)
        transition = checked("HiddenMarkov.transition", array_domain.simplex, self.transition)
        k = initial.shape[-1]
        if initial.ndim != 1 or transition.shape != (k, k):
            raise ValueError(
                f"HiddenMarkov.transition must have shape ({k}, {k}) beside initial ({k},), got {transition.shape}"
            )
        emissions = self.emissions
        count = emissions.batch_shape[-1:] if isinstance(emissions, Distribution) else (len(emissions),)
        if not isinstance(emissions, Mixture):
            if count != (k,):
                raise ValueError(f"HiddenMarkov.emissions must be {k} distributions, got {count[0] if count else 1}")
            emissions = Mixture(emissions, jnp.full(k, 1.0 / k))
        for name, value in (("initial", initial), ("transition", transition), ("emissions", emissions)):
            object.__setattr__(self, name, value)

    @property
    def states(self) -> int:
        """K."""
        return self.initial.shape[0]

    @property
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one value."""
        return self.emissions.event_shape

    def log_prob(self, x: Any) -> jax.Array:
        """log p(x), summed over sequences."""
        return _log_likelihood(_chain(self, line(x, self.event_shape)[0]))

    def filter(self, x: Any) -> Any:
        """Probabilities of the states given the values up to each time, (T, K); NaN from a value that none can emit on."""
        found, lengths, several = line(x, self.event_shape)
        return split(_laws(_filtered(_chain(self, found))), lengths, several)

    def posterior(self, x: Any) -> Any:
        """Probabilities of the states given all values, (T, K); NaN for a sequence that has probability 0."""
        found, lengths, several = line(x, self.event_shape)
        return split(_laws(_states(_chain(self, found))), lengths, several)

    def viterbi(self, x: Any) -> tuple[Any, jax.Array]:
        """The most probable path of states, (T,), and log p(x, path), summed over sequences."""
        found, lengths, several = line(x, self.event_shape)
        path, value = _viterbi(_chain(self, found))
        return split(path, lengths, several), value

    def sample_states(self, x: Any, shape: tuple[int, ...] = (), *, rng: RNG) -> Any:
        """Draws of the path of states given the values, (*shape, T)."""
        found, lengths, several = line(x, self.event_shape)
        keys = jax.random.split(as_key(rng), int(np.prod(shape)))
        drawn = _sample_states(self, found, keys).T  # times first, to be cut
        cut = split(drawn, lengths, several)
        return jax.tree.map(lambda v: v.T.reshape(*shape, len(v)), cut)

    def sample(self, length: int, *, rng: RNG) -> jax.Array:
        """One sequence of ``length`` values."""
        return self.sample_with_states(length, rng=rng)[0]

    def sample_with_states(self, length: int, *, rng: RNG) -> tuple[jax.Array, jax.Array]:
        """One sequence and its states."""
        if length < 1:
            raise ValueError(f"length must be >= 1, got {length}")
        return _sample(self, as_key(rng), length)

    def forecast(self, x: Any, steps: int) -> Mixture:
        """Law of the next value at each of ``steps`` times after one sequence: a mixture with a batch axis."""
        if steps < 1:
            raise ValueError(f"steps must be >= 1, got {steps}")
        found, lengths, several = line(x, self.event_shape)
        if several:
            raise ValueError(f"forecasts go on from one sequence, got a list of {len(lengths)}")
        law, weights = _laws(_filtered(_chain(self, found)))[lengths[0] - 1], []
        for _ in range(steps):
            law = law @ self.transition
            weights.append(law)
        return self.emissions._replaced({"weights": jnp.stack(weights)})

    def stationary(self) -> Mixture:
        """Law of a value far from the start.

        Raises:
            ValueError: it depends on the start, as where states part into classes that do not meet.
        """
        k = self.states
        if not is_traced(self.transition) and np.linalg.matrix_rank(np.eye(k) - np.asarray(self.transition)) < k - 1:
            raise ValueError("HiddenMarkov.transition must lead to one stationary law: some states never meet others")
        square = jnp.eye(k) - self.transition.T + jnp.ones((k, k))
        return self.emissions._replaced({"weights": jnp.linalg.solve(square, jnp.ones(k))})

    def __repr__(self) -> str:
        told = ", ".join(map(repr, self.emissions.components))
        return f"HiddenMarkov({self.states} states, {told})"


as_pytree(HiddenMarkov, ["initial", "transition", "emissions"])


@jax.jit
def _chain(model: HiddenMarkov, x: Line) -> Chain:
    """The values' likelihoods, laid out in stretches."""
    x = x.laid_out(model.states)
    seen = x.seen.reshape(x.seen.shape + (1,) * len(model.event_shape))
    values = jnp.where(seen, x.values, model.emissions.sample_space.interior(model.event_shape))
    found = jnp.swapaxes(model.emissions.component_log_prob(values), 1, 2)
    found = in_memory(jnp.where(x.seen[:, None], found, 0.0))
    kind = jnp.result_type(found, model.transition, model.initial)  # values of 32 bits may meet a chain of 64
    return Chain(found.astype(kind), model.transition.astype(kind), model.initial.astype(kind), x.fresh, x.inside)


_log_likelihood = jax.jit(log_likelihood)
_filtered = jax.jit(filtered)
_states = jax.jit(lambda chain: expected(chain).states)


@jax.jit
def _laws(found: jax.Array) -> jax.Array:
    """Laws of the states in line, NaN where nothing is possible."""
    laws = in_line(found)
    return jnp.where(laws.sum(1, keepdims=True) > 0.0, laws, jnp.nan)


@jax.jit
def _viterbi(chain: Chain) -> tuple[jax.Array, jax.Array]:
    path = paths.viterbi(chain)
    return in_line(path), paths.log_prob(chain, path)


@jax.jit
def _sample_states(model: HiddenMarkov, x: Line, keys: jax.Array) -> jax.Array:
    chain = _chain(model, x)
    laws = filtered(chain)
    return jax.vmap(lambda key: in_line(paths.draw(key, laws, chain)))(keys)


@partial(jax.jit, static_argnames="length")
def _sample(model: HiddenMarkov, key: jax.Array, length: int) -> tuple[jax.Array, jax.Array]:
    chain, values = jax.random.split(key)
    uniform = jax.random.uniform(chain, (length,), model.initial.dtype)

    def step(law: jax.Array, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        weight = jnp.cumsum(law)
        state = jnp.clip((weight <= u * weight[-1]).sum(), 0, model.states - 1)
        return model.transition[state], state

    states = jax.lax.scan(step, model.initial, uniform)[1]
    chosen = model.emissions._replaced({"weights": jax.nn.one_hot(states, model.states, dtype=model.initial.dtype)})
    return chosen.sample(rng=values), states
