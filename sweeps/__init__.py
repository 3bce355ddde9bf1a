"""Many runs from one command line: its trials, the runs found on disk, and engines for the rest."""
