"""What a run leaves: its folder, checkpoints, event files and history; and what it shows."""
