"""Beam search, and diverse beam search: the most probable sequences that a search of bounded width finds."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from suffice.models.language.decode import Decoded, Step, prompts, read, whole
from suffice.numerics.checks import is_traced


def beam_search(
    step: Step,
    start: Any,
    state: Any,
    length: int,
    *,
    beams: int,
    groups: int = 1,
    diversity: Any = 0.0,
    length_penalty: Any = 0.0,
    end: int | None = None,
) -> Decoded:
    """The best of the sequences that go on from the ``beams`` best beginnings of each length.

    Sequences are ordered by log p / n^length_penalty, n their tokens. With ``groups`` > 1 the beams are cut into groups;
    a group's beginnings are chosen by log p less ``diversity`` times how many beams of earlier groups take the same token
    at that place (Vijayakumar et al., 2018). A beam that has ended keeps its place among those that ended if it is one of the
    best of its group.

    Args:
        step, start, state, length, end: as of ``generate``.
        beams: width in all, >= 1.
        groups: >= 1, a divisor of ``beams``.
        diversity: >= 0, nats.
        length_penalty: 0: by log p; 1: by log p per token.

    Returns:
        Sequences (B, beams, length), of each group best first, with ``score`` −inf where there were fewer.

    Raises:
        ValueError: a setting is out of its range, or shapes do not fit.

    Example:
        >>> import jax.numpy as jnp, suffice as sf
        >>> logits = jnp.log(jnp.array([[0.6, 0.4], [0.5, 0.5]]))       # 0 is likelier now, 1 later no less
        >>> found = sf.beam_search(lambda t, s: (logits[t], s), jnp.array([0]), None, 3, beams=2)
        >>> found.tokens[0, 0].tolist(), round(float(jnp.exp(found.log_prob[0, 0])), 3)
        ([0, 0, 0], 0.216)
    """
    prompt = prompts(start, length, end)
    whole("beams", beams)
    whole("groups", groups)
    if beams % groups:
        raise ValueError(f"beams must be a multiple of groups, got beams {beams}, groups {groups}")
    for name, value in (("diversity", diversity), ("length_penalty", length_penalty)):
        if not is_traced(value) and not 0.0 <= value < np.inf:
            raise ValueError(f"{name} must be >= 0 and finite, got {value}")
    if groups == 1 and not is_traced(diversity) and diversity:
        raise ValueError(
            f"diversity is between groups, of which there must be two or more: got {diversity} with groups 1"
        )
    settings = (jnp.asarray(diversity, dtype=float), jnp.asarray(length_penalty, dtype=float))
    out = _search(step, prompt, state, settings, length, beams // groups, groups, -1 if end is None else int(end))
    if not is_traced(out) and bool(jnp.isnan(out.log_prob).any()):
        raise ValueError(
            "step must return logits < inf, not NaN, some above -inf, after each token that it calls possible"
        )
    return out


@partial(jax.jit, static_argnums=(0, 4, 5, 6, 7))
def _search(
    step: Step, prompt: jax.Array, state: Any, settings: Any, length: int, width: int, groups: int, end: int
) -> Decoded:
    diversity, penalty = settings
    batch = prompt.shape[0]
    beams = width * groups
    logits, state = read(step, prompt, state, end)
    classes = logits.shape[-1]
    state = jax.tree.map(lambda x: jnp.repeat(x, beams, axis=0), state)
    log_p = jnp.repeat(jax.nn.log_softmax(logits.astype(float), -1), beams, axis=0).reshape(
        batch, groups, width, classes
    )
    # one beam of each group is alive at first, as all are alike
    nothing = jnp.full((batch, groups, width), -jnp.inf)
    alive = nothing.at[..., 0].set(0.0)
    tokens = jnp.full((batch, groups, width, length), -1, prompt.dtype)
    # running and ended sequences: log p, what they are chosen by, tokens
    wrong = jnp.isnan(log_p).any((1, 2, 3))
    first = (0, log_p, state, wrong, (alive, alive, tokens), (nothing, nothing, tokens, jnp.zeros(nothing.shape, int)))

    def body(carry: Any) -> Any:
        at, log_p, state, wrong, (log_prob, chosen_by, tokens), ended = carry
        taken = jnp.zeros((batch, classes))
        kept, parents, words = [], [], []
        for g in range(groups):
            each = log_prob[:, g, :, None] + log_p[:, g]
            value = chosen_by[:, g, :, None] + log_p[:, g] - diversity * taken[:, None, :]
            best, place = jax.lax.top_k(value.reshape(batch, -1), min(2 * width, width * classes))
            parent, word = place // classes, (place % classes).astype(prompt.dtype)
            own = jnp.take_along_axis(each.reshape(batch, -1), place, axis=1)
            history = jnp.take_along_axis(tokens[:, g], parent[..., None], axis=1).at[:, :, at].set(word)
            stops = word == end
            held = tuple(x[:, g] for x in ended)
            stopped = (
                jnp.where(stops, own, -jnp.inf),
                jnp.where(stops, best / (at + 1.0) ** penalty, -jnp.inf),
                history,
                jnp.full(word.shape, at + 1),
            )
            ended = tuple(x.at[:, g].set(y) for x, y in zip(ended, _best(held, stopped, width), strict=True))
            going, at_place = jax.lax.top_k(jnp.where(stops, -jnp.inf, best), min(width, best.shape[1]))
            spare = width - at_place.shape[1]  # fewer go on than there are beams where the vocabulary is tiny
            at_place = jnp.pad(at_place, ((0, 0), (0, spare)))
            going = jnp.pad(going, ((0, 0), (0, spare)), constant_values=-jnp.inf)

            def pick(x: jax.Array, i: jax.Array = at_place) -> jax.Array:
                return jnp.take_along_axis(x, i.reshape(i.shape + (1,) * (x.ndim - 2)), axis=1)

            live = going > -jnp.inf
            kept.append((jnp.where(live, pick(own), -jnp.inf), going, pick(history)))
            parents.append(pick(parent) + g * width)
            words.append(pick(word))
            count = jax.vmap(lambda w, l: jnp.zeros(classes).at[w].add(l))(words[-1], live.astype(float))
            taken = taken + count
        running = tuple(jnp.stack(x, axis=1) for x in zip(*kept, strict=True))
        source = (jnp.arange(batch)[:, None] * beams + jnp.concatenate(parents, axis=1)).reshape(-1)
        state = jax.tree.map(lambda x: x[source], state)
        logits, state = step(jnp.concatenate(words, axis=1).reshape(-1), state)
        log_p = jax.nn.log_softmax(logits.astype(float), -1).reshape(batch, groups, width, classes)
        lost = (jnp.isnan(log_p).any(-1) & (running[1] > -jnp.inf)).any((1, 2))
        wrong = wrong | (lost & (at + 1 < length))
        return at + 1, log_p, state, wrong, running, ended

    def going(carry: Any) -> jax.Array:
        return (carry[0] < length) & (carry[4][1] > -jnp.inf).any()

    at, _, _, wrong, (log_prob, value, tokens), ended = jax.lax.while_loop(going, body, first)
    sizes = jnp.full(log_prob.shape, at)
    flat = [
        x.reshape(batch * groups, *x.shape[2:]) for x in (log_prob, value / at.astype(float) ** penalty, tokens, sizes)
    ]
    done = [x.reshape(batch * groups, *x.shape[2:]) for x in ended]
    log_prob, score, tokens, sizes = _best(done, flat, width)
    log_prob = jnp.where(jnp.repeat(wrong, groups)[:, None], jnp.nan, log_prob)
    stopped = (tokens == end).any(-1)
    shape = (batch, beams)
    return Decoded(
        tokens.reshape(*shape, length), log_prob.reshape(shape), sizes.reshape(shape), stopped.reshape(shape),
        score.reshape(shape),
    )  # fmt: skip


def _best(a: Any, b: Any, width: int) -> tuple[jax.Array, ...]:
    """The best of two lists, by the second entry of each."""
    joined = [jnp.concatenate(pair, axis=1) for pair in zip(a, b, strict=True)]
    _, place = jax.lax.top_k(joined[1], width)
    return tuple(jnp.take_along_axis(x, place.reshape(place.shape + (1,) * (x.ndim - 2)), axis=1) for x in joined)
