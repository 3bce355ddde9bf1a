"""Datasets: files on disk, or drawn pictures, as uint8 arrays. Nothing about tasks or networks."""
