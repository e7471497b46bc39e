"""Suffice: distributions, estimation and sampling, every answer with its own error bar.

Names load when they are first used; ``__init__.pyi`` lists them all.
"""

import lazy_loader

from suffice.runtime import precision

precision.enable()

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
