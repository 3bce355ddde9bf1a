"""Sizes beyond any memory or file system are refused, and the largest below are accepted."""

import pytest

from errors import RequestError
from runs.folder import parent_folder
from runs.request import read_request


# 250,000 million numbers of four bytes fit into 1,000 GB; each case's are counted by hand.
@pytest.mark.parametrize(
    ("flags", "largest"),
    [
        # A batch of images: 10,000 × 5,000².
        ("--network mobilenetv2 --batch 10000 --image-size", 5_000),
        # Of N filters: 5² × 3 × N weights, 9² × N features, and 5² × N × 10 weights of the output.
        ("--batch 1 --image-size 9 --filters", 615_763_546),
        # N² in lrn's window besides.
        ("--batch 1 --image-size 8 --norm lrn --filters", 499_850),
        # Features of a batch: 1,000 × 100² × N, and 25,075 × N weights.
        ("--batch 1000 --image-size 100 --filters", 24_936),
        # 5² × 100,000 × N weights of the second convolution.
        ("--batch 1 --image-size 8 --network conv conv fc --filters 100000", 99_992),
        # (28² × 3 + 10) × N weights, and N features.
        ("--batch 1 --network fc fc --hidden-units", 105_797_714),
        # N² more between two hidden layers.
        ("--batch 1 --network fc fc fc --hidden-units", 498_819),
        # Two columns, or decoders, of 64 × 1,024 weights for each 4×4 pixels.
        ("--batch 1 --network towers --image-size", 5_523),
        ("--batch 1 --network encoder --image-size", 5_523),
    ],
)
def test_more_than_any_memory_is_refused(flags, largest):
    read_request([*flags.split(), str(largest)])
    message = "a training step needs 1,000 GB of memory or more, expected at most 1,000; lower --ba"
    with pytest.raises(RequestError, match=message):
        read_request([*flags.split(), str(largest + 1)])


def test_the_deepest_network_has_a_folder(tmp_path):
    flags = ["--heads", "multi", "--log-dir", str(tmp_path), "--network", "conv"]
    _, settings = read_request([*flags, *["conv"] * 48, "fc"])
    parent_folder(settings).mkdir(parents=True)
    with pytest.raises(RequestError, match="--network: expected at most 50 layers, got 51"):
        read_request([*flags, *["conv"] * 49, "fc"])
