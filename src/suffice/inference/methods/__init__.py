"""Other ways than maximum likelihood to choose a member of a family: each is a criterion, the solver is one."""
