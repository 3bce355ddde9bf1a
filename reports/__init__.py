"""Reports on runs: groups of equal settings, metrics, tables and figures."""
