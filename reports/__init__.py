"""Reports on runs: groups of equal settings, metrics, tables and figures."""

from reports.runs import read_runs

__all__ = ["read_runs"]
