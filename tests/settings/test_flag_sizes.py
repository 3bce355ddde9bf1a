"""Sizes that no memory and no file system takes are refused, and those just below are not."""

import pytest

from errors import RequestError
from settings import parse_flags


# Of four bytes each 250,000 million fit into 1,000 GB; how many there are is worked out by hand.
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
def test_what_no_memory_holds_is_refused(flags, largest):
    parse_flags([*flags.split(), str(largest)])
    told = (
        r"a training step needs 1,000 GB of memory or more, expected at most 1,000; lower --batch"
    )
    with pytest.raises(RequestError, match=told):
        parse_flags([*flags.split(), str(largest + 1)])


def test_a_run_of_the_deepest_network_has_a_folder(tmp_path):
    settings = parse_flags(["--network", *["conv"] * 49, "fc", "--log-dir", str(tmp_path)])
    (tmp_path / f"n_{'_'.join(settings.network)}_multi").mkdir()
    with pytest.raises(RequestError, match="--network: expected at most 50 layers, got 51"):
        parse_flags(["--network", *["conv"] * 50, "fc"])
