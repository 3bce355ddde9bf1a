"""Benchmarks of the program: beside Keras on the same network, and as a whole from outside."""
