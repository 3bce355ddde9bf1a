"""The networks that --network names, each in two parts: see `model.Network`."""
