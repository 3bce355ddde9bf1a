"""Draws digits that stand in for MNIST: several ways of writing each, by an unsteady hand."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# The height and width of a picture, in pixels, as in MNIST.
SIZE = 28
# Pictures are drawn larger by this factor and scaled down, which smooths their edges.
OVERSAMPLING = 3
CANVAS = OVERSAMPLING * SIZE

# A stroke is an [N, 2] array of points (x, y), x to the right and y down, both in [0, 1].
Stroke = np.ndarray


def line(*points: tuple[float, float]) -> Stroke:
    """Returns a stroke of straight lines through the points."""
    return resample(np.array(points), 2 * len(points) - 1)


def resample(points: np.ndarray, count: int) -> np.ndarray:
    """Returns `count` evenly spaced points [count, 2] on straight lines through points [N, 2]."""
    places = np.linspace(0, len(points) - 1, count)
    indices = np.arange(len(points))
    return np.stack([np.interp(places, indices, axis) for axis in points.T], axis=1)


def arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Stroke:
    """Returns a stroke along an ellipse about (x, y); angles are in degrees clockwise from east."""
    angles = np.radians(np.linspace(start, end, 9))
    return np.stack([x + width / 2 * np.cos(angles), y + height / 2 * np.sin(angles)], axis=1)


# The ways of writing each digit: the digit, and its strokes.
WAYS: tuple[tuple, ...] = (
    (0, arc(0.5, 0.5, 0.6, 0.95, -90, 270)),
    (0, arc(0.5, 0.5, 0.45, 0.95, -70, 280)),
    (0, arc(0.5, 0.5, 0.75, 0.85, -120, 250)),
    (1, line((0.5, 0.03), (0.5, 0.97))),
    (1, line((0.3, 0.25), (0.52, 0.03), (0.52, 0.97))),
    (1, line((0.32, 0.22), (0.5, 0.03), (0.5, 0.97)), line((0.28, 0.97), (0.72, 0.97))),
    (2, arc(0.5, 0.28, 0.6, 0.5, -170, 30), line((0.76, 0.4), (0.2, 0.97), (0.82, 0.97))),
    (
        2,
        arc(0.48, 0.28, 0.55, 0.5, -160, 50),
        line((0.66, 0.47), (0.3, 0.85)),
        arc(0.3, 0.88, 0.25, 0.2, 60, 300),
        line((0.32, 0.8), (0.85, 0.95)),
    ),
    (3, arc(0.45, 0.27, 0.55, 0.48, -150, 90), arc(0.45, 0.73, 0.62, 0.48, -90, 150)),
    (3, line((0.2, 0.05), (0.75, 0.05), (0.45, 0.42)), arc(0.45, 0.7, 0.6, 0.55, -90, 150)),
    (4, line((0.62, 0.97), (0.62, 0.03), (0.15, 0.65), (0.88, 0.65))),
    (4, line((0.25, 0.05), (0.2, 0.5), (0.78, 0.5)), line((0.72, 0.08), (0.68, 0.97))),
    (5, line((0.78, 0.05), (0.28, 0.05), (0.25, 0.45)), arc(0.45, 0.67, 0.6, 0.58, -120, 140)),
    (
        5,
        line((0.3, 0.05), (0.28, 0.42)),
        arc(0.43, 0.68, 0.62, 0.55, -120, 150),
        line((0.3, 0.05), (0.8, 0.07)),
    ),
    (6, line((0.68, 0.03), (0.32, 0.45)), arc(0.5, 0.7, 0.52, 0.52, -190, 190)),
    (6, arc(0.62, 0.5, 0.75, 0.95, 190, 300)[::-1], arc(0.5, 0.72, 0.5, 0.46, -190, 180)),
    (7, line((0.18, 0.05), (0.82, 0.05), (0.42, 0.97))),
    (7, line((0.18, 0.05), (0.8, 0.05), (0.45, 0.97)), line((0.35, 0.5), (0.78, 0.5))),
    (7, line((0.2, 0.2), (0.2, 0.06), (0.82, 0.06), (0.5, 0.97))),
    (8, arc(0.5, 0.27, 0.46, 0.46, 90, 450), arc(0.5, 0.73, 0.56, 0.48, -90, 270)),
    (
        8,
        line((0.72, 0.15), (0.3, 0.85)),
        arc(0.5, 0.22, 0.45, 0.38, 0, -190),
        line((0.28, 0.25), (0.7, 0.75)),
        arc(0.5, 0.78, 0.45, 0.4, -20, 180),
    ),
    (9, arc(0.47, 0.28, 0.52, 0.5, 0, 360), line((0.73, 0.28), (0.7, 0.97))),
    (9, arc(0.47, 0.28, 0.52, 0.5, 0, 360), arc(0.33, 0.4, 0.8, 1.15, -10, 75)),
)


def draw_digit(digit: int, random: np.random.Generator) -> np.ndarray:
    """Draws one digit, [SIZE, SIZE, 1] uint8, white on black."""
    picture = Image.new("L", (CANVAS, CANVAS))
    pen = ImageDraw.Draw(picture)
    ways = [strokes for each, *strokes in WAYS if each == digit]
    strokes = ways[random.integers(len(ways))]
    place = random_placement(random)
    width = int(random.integers(5, 13))
    for stroke in strokes:
        # Small smooth shifts, so that no two strokes are equal.
        wobble = resample(random.normal(0, 0.035, (4, 2)), len(stroke))
        points = [tuple(point) for point in place(stroke + wobble)]
        pen.line(points, fill=255, width=width, joint="curve")
        for x, y in (points[0], points[-1]):  # round ends
            pen.circle((x, y), width / 2, fill=255)
    picture = picture.filter(ImageFilter.BoxBlur(random.uniform(0, 2.5)))
    small = np.asarray(picture.reduce(OVERSAMPLING), dtype=np.float32)
    small = small * random.uniform(0.8, 1) + random.normal(0, 12, small.shape) * (small > 0)
    return np.clip(small, 0, 255).astype(np.uint8)[..., np.newaxis]


def random_placement(random: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a map of points [N, 2] from the unit square to a random place on the canvas."""
    size = CANVAS * random.uniform(0.52, 0.76, 2) * (0.8, 1)
    slant = random.normal(0, 0.22)
    angle = random.normal(0, 0.12)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = CANVAS / 2 + random.uniform(-0.09, 0.09, 2) * CANVAS

    def place(points: np.ndarray) -> np.ndarray:
        x, y = ((points - 0.5) * size).T
        return np.stack([x - slant * y, y], axis=1) @ rotation.T + middle

    return place
