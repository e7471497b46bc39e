"""Speed and memory of language models, beside nltk and, where it is on the path, KenLM.

    python benchmarks/language.py [likelihood] [ngram] [--megabytes 50] [--rows 20000] [--classes 32000] [--folder build]

Ratios of one run are to be trusted more than seconds: other work on the machine disturbs these.
"""

import argparse
import importlib.util
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np


def timed(work: Callable[[], Any], runs: int) -> str:
    """Least and median seconds of several runs after a first one, and the least of all processors together."""
    work()
    clock, cpu = [], []
    for _ in range(runs):
        a, b = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - a)
        cpu.append(time.process_time() - b)
    return f"least {min(clock):.3f} s, median {median(clock):.3f} s, processors {min(cpu):.3f} s"


def likelihood(rows: int, classes: int, runs: int) -> None:
    """log p of tokens, beside one reading of the logits."""
    import jax
    import jax.numpy as jnp

    import suffice as sf
    from suffice.models.language.likelihood import _fast

    held = np.empty(rows * classes + 16, np.float32)
    start = -held.ctypes.data % 64 // 4
    x = held[start : start + rows * classes].reshape(rows, classes)
    np.random.default_rng(0).standard_normal(out=x, dtype=np.float32)
    logits = jax.dlpack.from_dlpack(x)
    tokens = jnp.asarray(np.random.default_rng(1).integers(0, classes, rows))
    print(f"{rows:,} x {classes:,} float32 logits, {x.nbytes / 1e9:.2f} GB")
    largest = jax.jit(lambda v: v.max(1))
    usual = jax.jit(lambda v, t: jnp.take_along_axis(jax.nn.log_softmax(v, -1), t[:, None], 1).sum())
    works: dict[str, Callable[[], Any]] = {
        "numpy: largest of each row": lambda: x.max(1),
        "jax: largest of each row": lambda: jax.block_until_ready(largest(logits)),
        "suffice: sequence_log_prob": lambda: jax.block_until_ready(sf.sequence_log_prob(logits, tokens)),
        "jax: log_softmax and gather": lambda: jax.block_until_ready(usual(logits, tokens)),
    }
    for name, work in works.items():
        print(f"{name:>32}  {timed(work, runs)}")
    memory = _fast().lower(logits, tokens, None).compile().memory_analysis()
    print(f"memory beyond the logits: {memory.temp_size_in_bytes / 1e6:.1f} MB")
    exact = x[:64].astype(float)
    exact = exact[np.arange(64), np.asarray(tokens[:64])] - np.log(np.exp(exact).sum(1))
    each = np.asarray(_fast()(logits[:64], tokens[:64], None))
    print(f"largest error of log p of a token against float64: {np.abs(each - exact).max():.1e}")


def text(path: Path, megabytes: float) -> Path:
    """Lines of words that repeat as words and phrases of language do: phrases by Zipf's law, of words by Zipf's law."""
    if path.exists():
        return path
    rng = np.random.default_rng(0)
    words = np.array(["".join(chr(97 + c) for c in rng.integers(0, 26, rng.integers(2, 9))) for _ in range(200_000)])
    phrases = [" ".join(words[np.minimum(rng.zipf(1.25, rng.integers(1, 7)), len(words)) - 1]) for _ in range(500_000)]
    with open(path, "w", encoding="utf-8") as out:
        written = 0
        while written < megabytes * 1e6:
            at = np.minimum(rng.zipf(1.15, 10_000), len(phrases)) - 1
            at = np.where(rng.random(10_000) < 0.5, at, rng.integers(0, len(phrases), 10_000))
            lines = "\n".join(" ".join(phrases[i] for i in at[j : j + 5]) for j in range(0, 10_000, 5)) + "\n"
            written += out.write(lines)
    return path


OWN = """
import resource, sys, time
import suffice as sf
sf.ngram(["a"], 2).score(["a"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun = time.perf_counter()
counts = sf.ngram_counts(sys.argv[1], int(sys.argv[2]))
counted = time.perf_counter()
model = sf.ngram(counts)
done = time.perf_counter()
score = model.score(sys.argv[3])
scored = time.perf_counter()
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"suffice: {counts.tokens:,} tokens counted in {counted - begun:.1f} s, smoothed in {done - counted:.1f} s, "
      f"{counts.tokens / (done - begun):,.0f} tokens/s, {most / 1e3:.0f} MB ({before / 1e3:.0f} before); "
      f"{int(score.tokens.sum()):,} tokens scored in {scored - done:.2f} s, perplexity {float(score.perplexity):.4f}")
"""

NLTK = """
import resource, sys, time
from nltk.lm import KneserNeyInterpolated
from nltk.lm.preprocessing import padded_everygram_pipeline
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
order = int(sys.argv[2])
begun = time.perf_counter()
train, words = padded_everygram_pipeline(order, [line.split() for line in open(sys.argv[1], encoding="utf-8")])
model = KneserNeyInterpolated(order)
model.fit(train, words)
done = time.perf_counter()
tokens = model.counts[1].N()
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"nltk: {tokens:,} tokens counted in {done - begun:.1f} s, {tokens / (done - begun):,.0f} tokens/s, "
      f"{most / 1e3:.0f} MB ({before / 1e3:.0f} before)")
line = open(sys.argv[3], encoding="utf-8").readline().split()[:20]
begun = time.perf_counter()
for i in range(len(line)):
    model.logscore(line[i], line[max(0, i - order + 1):i])
print(f"nltk: {len(line)} tokens scored in {time.perf_counter() - begun:.2f} s")
"""


def ngram(megabytes: float, order: int, folder: Path, part: float) -> None:
    """Modified Kneser–Ney; nltk on a part of the text, as it would need hours for all."""
    test = text(folder / "words-1.txt", 1.0)
    whole, small = (text(folder / f"words-{size:g}.txt", size) for size in (megabytes, part))
    for path in (small, whole):
        print(f"{path.stat().st_size / 1e6:.1f} MB, order {order}")
        subprocess.run([sys.executable, "-c", OWN, path, str(order), test], check=True)
        if importlib.util.find_spec("nltk") and path is small:
            subprocess.run([sys.executable, "-c", NLTK, path, str(order), test], check=True)
        if shutil.which("lmplz"):
            begun = time.perf_counter()
            command = ["lmplz", "-o", str(order), "-S", "4G", "--arpa", folder / "ken.arpa"]
            with open(path, "rb") as source:
                said = subprocess.run(command, stdin=source, capture_output=True, text=True, check=True).stderr
            print(f"KenLM, to a file: {time.perf_counter() - begun:.1f} s; {said.splitlines()[-1]}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["likelihood", "ngram"])
    parser.add_argument("--megabytes", type=float, default=50.0)
    parser.add_argument("--part", type=float, default=5.0, help="megabytes of text that nltk gets")
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--classes", type=int, default=32_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("build"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if "likelihood" in options.parts:
        likelihood(options.rows, options.classes, options.runs)
    if "ngram" in options.parts:
        ngram(options.megabytes, options.order, options.folder, options.part)
    print(f"peak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main()
