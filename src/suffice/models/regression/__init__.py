"""Regression: from inputs and targets to laws of targets given inputs."""
