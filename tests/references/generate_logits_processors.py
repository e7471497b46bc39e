"""Outputs of HuggingFace's logits processors on random logits, for tests/models/language/test_filters.py.

    python tests/references/generate_logits_processors.py

Made once with transformers 4.45.2 and torch 1.13 (Debian's CPU build) on Python 3.11; logits and results in float32.
"""

from pathlib import Path

import numpy as np
import torch
import transformers
from transformers.generation import logits_process as hf

CASES = {
    "temperature": lambda: [hf.TemperatureLogitsWarper(0.7)],
    "top_k": lambda: [hf.TopKLogitsWarper(7)],
    "top_p": lambda: [hf.TopPLogitsWarper(0.8)],
    "min_p": lambda: [hf.MinPLogitsWarper(0.05)],
    "typical_p": lambda: [hf.TypicalLogitsWarper(0.6)],
    "repetition_penalty": lambda: [hf.RepetitionPenaltyLogitsProcessor(1.3)],
    "all": lambda: [
        hf.RepetitionPenaltyLogitsProcessor(1.2), hf.TemperatureLogitsWarper(1.4), hf.TopKLogitsWarper(40),
        hf.TopPLogitsWarper(0.95), hf.MinPLogitsWarper(0.02), hf.TypicalLogitsWarper(0.9),
    ],
}  # fmt: skip


def main() -> None:
    """Write logits, histories and what each processor makes of them."""
    rng = np.random.default_rng(0)
    scale = np.repeat([0.3, 1.0, 3.0, 10.0], 16)[:, None]
    logits = (scale * rng.normal(size=(64, 101))).astype(np.float32)
    logits[::5, ::7] = -np.inf
    history = rng.integers(0, 101, (64, 12))
    kept = {"logits": logits, "history": history.astype(np.int16), "transformers": np.array(transformers.__version__)}
    for name, make in CASES.items():
        scores = torch.tensor(logits)
        for processor in make():
            scores = processor(torch.tensor(history), scores)
        kept[name] = scores.numpy()
    np.savez_compressed(Path(__file__).parent / "logits_processors.npz", **kept)


if __name__ == "__main__":
    main()
