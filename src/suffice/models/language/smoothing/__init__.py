"""Ways to give probability to n-grams that were not seen."""
