"""Time series whose state is linear and Gaussian: Kalman's filter and what rests on it."""
