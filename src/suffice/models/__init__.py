"""Models: what data are said to come from, and how their parameters are found."""
