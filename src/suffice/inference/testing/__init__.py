"""Tests of fit and of two samples, valid after fitting."""
