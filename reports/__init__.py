"""What `report.py` does: read runs, put them into groups, draw and tabulate what came of them."""
