"""The table of conjugate pairs, and how a pair is found in it. Adding a pair adds one row to the list of its kin."""

from dataclasses import fields

from suffice.distributions.declaration import public_name
from suffice.distributions.distribution import Distribution
from suffice.distributions.family import Family
from suffice.inference.conjugate import bounds, counts, location, probability, scaled, spread
from suffice.inference.conjugate.pair import Pair

PAIRS: tuple[Pair, ...] = (
    *probability.PAIRS,
    *counts.PAIRS,
    *scaled.PAIRS,
    *location.PAIRS,
    *spread.PAIRS,
    *bounds.PAIRS,
)


def find(prior: Distribution | str, family: Family) -> Pair:
    """The pair of a prior, or of the name of one, and a likelihood.

    Raises:
        ValueError: there is none; the message says which there are for this likelihood.
    """
    free = tuple(path[-1] for path in family.free)
    of_kind = [pair for pair in PAIRS if pair.kind is family.kind]
    same = [pair for pair in of_kind if pair.free == free]
    named = isinstance(prior, str)
    fitting = [pair for pair in same if (prior in pair.improper if named else pair.prior is type(prior))]
    if fitting:
        return fitting[0]
    told = f"prior {prior!r}" if named else f"a {type(prior).__name__} prior"
    if not of_kind:
        raise ValueError(
            f"no conjugate prior of {family.kind.__name__} is known; sf.laplace and sf.variational need none"
        )
    if named and same:
        names = sorted({name for pair in same for name in pair.improper})
        raise ValueError(f"{family.name} has no {told}; it has {', '.join(names) or 'none by name'}")
    ways = "; ".join(_way(pair) for pair in of_kind)
    raise ValueError(
        f"{told} is not conjugate to {family.name}, of which {', '.join(free)} is unknown; there are: {ways}"
    )


def _way(pair: Pair) -> str:
    """A pair as a call would name it."""
    names = [public_name(f) for f in fields(pair.kind) if f.name not in pair.free]
    held = (
        f"sf.family(sf.{pair.kind.__name__}, {', '.join(f'{n}=...' for n in names)})"
        if names
        else f"sf.{pair.kind.__name__}"
    )
    return f"{pair.prior.__name__} on {pair.parameter} with {held}"
