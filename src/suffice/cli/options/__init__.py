"""The commands' options. Nothing heavy is imported before a command runs, so that ``--help`` is instant."""

from suffice.cli.options import compare, divergence, fit, language, mixture, regress, sample, simulate, update

COMMANDS = (
    fit.fit, update.update, sample.sample, regress.regress, mixture.mixture, compare.compare, simulate.simulate,
    divergence.divergence, language.perplexity, language.generate,
)  # fmt: skip
