"""Pages that are made from the code hold what the code holds."""

from pathlib import Path

from suffice.distributions.catalogue import CATALOGUE

DOCS = Path(__file__).parent.parent / "docs"


def test_every_family_is_in_the_catalogue():
    """If not: make docs."""
    page = (DOCS / "catalogue.md").read_text()
    missing = [e.name for e in CATALOGUE if f"## {e.name}\n" not in page]
    assert not missing
    assert all((DOCS / "catalogue" / f"{e.name}.svg").exists() for e in CATALOGUE)
