"""Modified Kneser–Ney from the definition, with dictionaries and sets, for tests: nothing is shared with the library."""

from collections import Counter


class BruteKneserNey:
    """Chen and Goodman (1999), interpolated down to the uniform; lines are padded with one <s> and one </s>."""

    def __init__(self, lines, order):
        sentences = [("<s>", *line.split(), "</s>") for line in lines]
        grams = Counter()
        for s in sentences:
            for n in range(1, order + 1):
                for i in range(len(s) - n + 1):
                    grams[s[i : i + n]] += 1
        self.order = order
        self.words = sorted({w for s in sentences for w in s} | {"<unk>"})
        before = {}
        for g in grams:
            if len(g) > 1:
                before.setdefault(g[1:], set()).add(g[0])
        self.a = {}
        for g, c in grams.items():
            if g == ("<s>",):
                continue
            full = len(g) == order or g[0] == "<s>"
            self.a[g] = c if full else len(before[g])
        self.after = {}
        for g in self.a:
            self.after.setdefault(g[:-1], []).append(g)
        self.d = {}
        for n in range(1, order + 1):
            t = Counter(v for g, v in self.a.items() if len(g) == n)
            self.d[n] = (0.5, 1.0, 1.5)
            if t[1] and t[2] and t[3]:
                y = t[1] / (t[1] + 2 * t[2])
                d = (1 - 2 * y * t[2] / t[1], 2 - 3 * y * t[3] / t[2], 3 - 4 * y * t[4] / t[3])
                if all(0 < x <= r for r, x in enumerate(d, start=1)):
                    self.d[n] = d

    def discount(self, n, value):
        return 0.0 if value == 0 else self.d[n][min(value, 3) - 1]

    def p(self, word, context):
        """p(word | context), context a tuple of any length."""
        context = context[-(self.order - 1) :] if self.order > 1 else ()
        return self._p(word, context)

    def _p(self, word, context):
        lower = self._p(word, context[1:]) if context else 1.0 / (len(self.words) - 1)
        followers = self.after.get(context, [])
        total = sum(self.a[g] for g in followers)
        if total == 0:
            return lower
        n = len(context) + 1
        value = self.a.get((*context, word), 0)
        left = sum(self.discount(n, self.a[g]) for g in followers)
        return (value - self.discount(n, value) + left * lower) / total
