"""Hidden Markov models: a mixture whose label is a Markov chain."""
