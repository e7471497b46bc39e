"""Every test runs with 64-bit numbers, with rank promotion refused, and keeps what it compiled for the next run."""

import importlib
import signal

import jax
import numpy as np
import pytest
from jaxtyping import install_import_hook

from suffice.runtime.cache import keep_compiled

# where shapes are annotated they are checked at run time
SHAPED = ["numerics.newton", "numerics.quadrature", "inference.likelihood", "inference.intervals.from_likelihood"]
with install_import_hook([f"suffice.{name}" for name in SHAPED], "beartype.beartype"):
    importlib.import_module("suffice.inference.fit")  # which switches 64-bit numbers on, too

jax.config.update("jax_numpy_rank_promotion", "raise")
keep_compiled()


@pytest.fixture(scope="module", autouse=True)
def _release():
    """Let go of compiled programs after each module: each holds memory maps, of which a process has 65,530."""
    yield
    jax.clear_caches()


@pytest.fixture(autouse=True)
def _same_numbers(request, monkeypatch):
    """A module's generator starts anew for each test, so that no test depends on which others ran before it."""
    if hasattr(request.module, "RNG"):
        monkeypatch.setattr(request.module, "RNG", np.random.default_rng(21))


@pytest.fixture
def interrupts():
    """SIGINT raises KeyboardInterrupt, also where a shell that runs the tests in the background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="the contract of all families, with many more parameter sets of each"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("python_files", "contract.py")
    config.addinivalue_line("python_files", "contract_of_arrays.py")
