"""What methods share that read the data once for each step."""
