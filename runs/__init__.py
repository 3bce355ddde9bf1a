"""A run's folder, checkpoints, event files and history, and its terminal."""
