"""Smoothing by name, as typed on the command line."""

from suffice.models.language.smoothing.additive import Additive, DirichletSmoothing
from suffice.models.language.smoothing.jelinek_mercer import JelinekMercer
from suffice.models.language.smoothing.katz import Katz
from suffice.models.language.smoothing.kneser_ney import AbsoluteDiscounting, KneserNey
from suffice.models.language.smoothing.pitman_yor import PitmanYor
from suffice.models.language.smoothing.tables import Smoothing

NAMES = {
    "mle": lambda: Additive(0.0), "additive": Additive, "dirichlet": DirichletSmoothing, "jelinek-mercer": JelinekMercer,
    "katz": Katz, "absolute": AbsoluteDiscounting, "kneser-ney": KneserNey, "kneser-ney-one": lambda: KneserNey(False),
    "pitman-yor": PitmanYor,
}  # fmt: skip
WITH_NUMBER = ("additive", "dirichlet", "jelinek-mercer", "absolute")


def smoothing(text: str) -> Smoothing:
    """``kneser-ney``, ``additive:0.1``, …

    Raises:
        ValueError: there is no such smoothing, or the number is not one.
    """
    name, colon, number = text.partition(":")
    if name not in NAMES:
        raise ValueError(f"smoothing must be one of {', '.join(NAMES)}, got {text!r}")
    if not colon:
        return NAMES[name]()
    if name not in WITH_NUMBER:
        raise ValueError(f"smoothing {name} takes no number, got {text!r}")
    try:
        value = float(number)
    except ValueError:
        raise ValueError(f"smoothing {name} takes a number, as in {name}:0.5, got {text!r}") from None
    return NAMES[name](value)  # type: ignore[call-arg]
