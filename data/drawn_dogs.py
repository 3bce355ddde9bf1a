"""Draws cartoon dogs that stand in for photographs: ten breeds, each dog slightly different."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from data.drawn_digits import CANVAS, OVERSAMPLING

Color = tuple[int, int, int]

BLACK, WHITE, GRAY = (38, 36, 40), (232, 228, 220), (128, 126, 130)
GOLD, TAN, RED, BROWN = (205, 160, 90), (190, 140, 95), (165, 85, 45), (100, 66, 46)


@dataclass(frozen=True)
class Breed:
    """The properties that all dogs of a breed share; everything else varies."""

    name: str
    coats: tuple[Color, ...]
    pattern: str  # plain, spots, saddle, patches or stripes
    second: Color  # the pattern's color
    ears: str  # pointed, floppy or round
    tail: str  # up, curled, straight or stub
    height: float  # of the legs, relative to an average dog's
    length: float  # of the body, relative to an average dog's


BREEDS = (
    Breed("shepherd", (TAN, BROWN), "saddle", BLACK, "pointed", "straight", 1.1, 1.05),
    Breed("beagle", (WHITE,), "saddle", BROWN, "floppy", "up", 0.8, 0.95),
    Breed("dalmatian", (WHITE,), "spots", BLACK, "floppy", "straight", 1.15, 0.95),
    Breed("husky", (GRAY, WHITE), "saddle", GRAY, "pointed", "curled", 1.0, 1.0),
    Breed("retriever", (GOLD, TAN), "plain", GOLD, "floppy", "straight", 1.0, 1.05),
    Breed("dachshund", (RED, BROWN), "plain", BROWN, "floppy", "straight", 0.45, 1.3),
    Breed("terrier", (TAN, GRAY), "patches", BROWN, "pointed", "up", 0.75, 0.8),
    Breed("mastiff", (GOLD, BROWN), "stripes", BROWN, "round", "straight", 1.15, 1.1),
    Breed("poodle", (WHITE, BLACK, GRAY), "plain", WHITE, "round", "stub", 1.1, 0.8),
    Breed("sheepdog", (GRAY, WHITE), "patches", BLACK, "round", "stub", 0.9, 1.1),
)
GROUNDS = ((92, 140, 70), (150, 135, 90), (196, 196, 200), (120, 96, 80), (210, 190, 140))
SKIES = ((150, 190, 225), (205, 205, 210), (235, 205, 160), (110, 130, 100), (170, 120, 110))


class Sketch:
    """A canvas with one dog, in units of the dog's size, facing left or right."""

    def __init__(self, picture: Image.Image, random: np.random.Generator) -> None:
        self.pen = ImageDraw.Draw(picture)
        self.random = random
        self.size = CANVAS * random.uniform(0.55, 0.85)
        self.direction = random.choice([-1, 1])
        self.x = CANVAS / 2 + random.uniform(-0.1, 0.1) * CANVAS
        self.y = CANVAS / 2 + random.uniform(-0.03, 0.12) * CANVAS

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Returns the canvas position of a point of the dog; (0, 0) is the middle of its body."""
        return self.x + self.direction * x * self.size, self.y + y * self.size

    def ellipse(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        """Draws a filled ellipse centered at (x, y)."""
        (x, y), across, down = self.at(x, y), width * self.size / 2, height * self.size / 2
        self.pen.ellipse((x - across, y - down, x + across, y + down), fill=color)

    def line(self, color: Color, width: float, *points: tuple[float, float]) -> None:
        """Draws a line through the points."""
        width = max(2, round(width * self.size))
        self.pen.line([self.at(*point) for point in points], color, width, joint="curve")


def draw_dog(breed_index: int, random: np.random.Generator) -> np.ndarray:
    """Draws one dog of the breed, [SIZE, SIZE, 3] uint8."""
    breed = BREEDS[breed_index]
    picture = background(random)
    sketch = Sketch(picture, random)
    coat = shade(breed.coats[random.integers(len(breed.coats))], random)
    second = shade(breed.second, random)
    length = 0.52 * breed.length * random.uniform(0.88, 1.12)
    draw_tail(sketch, breed.tail, length, coat)
    draw_legs(sketch, length, 0.3 * breed.height * random.uniform(0.85, 1.15), coat)
    sketch.ellipse(0, 0, length, 0.25, coat)
    draw_pattern(sketch, breed.pattern, length, second)
    draw_head(sketch, breed, length, coat, second)
    picture = picture.filter(ImageFilter.BoxBlur(random.uniform(0, 2)))
    small = np.asarray(picture.reduce(OVERSAMPLING), dtype=np.float32)
    small = small * random.uniform(0.65, 1.15) + random.normal(0, 14, small.shape)
    return np.clip(small, 0, 255).astype(np.uint8)


def shade(color: Color, random: np.random.Generator) -> Color:
    """Returns the color, lighter or darker and slightly shifted."""
    off = random.normal(0, 14) + random.normal(0, 9, 3)
    return tuple(int(value) for value in np.clip(np.array(color) + off, 0, 255))


def background(random: np.random.Generator) -> Image.Image:
    """Draws sky or wall above, ground below, and a few distracting ellipses."""
    picture = Image.new("RGB", (CANVAS, CANVAS), shade(SKIES[random.integers(5)], random))
    pen = ImageDraw.Draw(picture)
    horizon = CANVAS * random.uniform(0.35, 0.85)
    pen.rectangle((0, horizon, CANVAS, CANVAS), fill=shade(GROUNDS[random.integers(5)], random))
    for _ in range(random.integers(4)):
        x, y = random.uniform(0, CANVAS, 2)
        width, height = random.uniform(0.05, 0.3, 2) * CANVAS
        pen.ellipse((x, y, x + width, y + height), fill=shade(GROUNDS[random.integers(5)], random))
    return picture


def draw_tail(sketch: Sketch, tail: str, length: float, coat: Color) -> None:
    """Draws the tail, behind everything else."""
    x, lift = -length / 2 + 0.02, sketch.random.uniform(-0.05, 0.05)
    if tail == "up":
        sketch.line(coat, 0.05, (x, -0.03), (x - 0.1, -0.22 + lift))
    elif tail == "straight":
        sketch.line(coat, 0.05, (x, -0.02), (x - 0.17, 0.06 + lift))
    elif tail == "curled":
        sketch.ellipse(x + 0.02, -0.16 + lift, 0.17, 0.15, coat)
    else:
        sketch.ellipse(x - 0.02, -0.05, 0.08, 0.07, coat)


def draw_legs(sketch: Sketch, length: float, height: float, coat: Color) -> None:
    """Draws four legs, standing or in mid-step."""
    step = sketch.random.uniform(0, 0.09)
    for x, swing in ((-0.42, -step), (-0.3, step), (0.3, -step), (0.42, step)):
        sketch.line(coat, 0.06, (x * length, 0.05), (x * length + swing, 0.1 + height))


def draw_pattern(sketch: Sketch, pattern: str, length: float, second: Color) -> None:
    """Draws the pattern of the coat."""
    if pattern == "saddle":
        sketch.ellipse(sketch.random.uniform(-0.06, 0.03), -0.05, length * 0.75, 0.15, second)
    elif pattern == "spots":
        for _ in range(sketch.random.integers(7, 13)):
            x, y = sketch.random.uniform(-0.42, 0.42) * length, sketch.random.uniform(-0.08, 0.08)
            sketch.ellipse(x, y, 0.05, 0.05, second)
    elif pattern == "patches":
        for _ in range(sketch.random.integers(1, 4)):
            x, y = sketch.random.uniform(-0.35, 0.35) * length, sketch.random.uniform(-0.05, 0.05)
            sketch.ellipse(x, y, 0.15, 0.14, second)
    elif pattern == "stripes":
        for place in np.linspace(-0.35, 0.35, sketch.random.integers(4, 7)):
            sketch.line(second, 0.025, (place * length, -0.1), (place * length + 0.02, 0.09))


def draw_head(sketch: Sketch, breed: Breed, length: float, coat: Color, second: Color) -> None:
    """Draws neck, head, muzzle, nose, eye and ears, held high or low."""
    x = length / 2 + sketch.random.uniform(0, 0.07)
    y = sketch.random.uniform(-0.26, -0.1)
    sketch.line(coat, 0.14, (length * 0.38, -0.03), (x, y))
    sketch.ellipse(x, y, 0.23, 0.2, coat)
    sketch.ellipse(x + 0.12, y + 0.035, 0.15, 0.1, coat)
    sketch.ellipse(x + 0.19, y + 0.01, 0.04, 0.04, BLACK)
    sketch.ellipse(x + 0.04, y - 0.03, 0.03, 0.03, BLACK)
    ear = coat if breed.pattern == "plain" or sketch.random.random() < 0.25 else second
    if breed.ears == "pointed":
        corners = (x - 0.1, y - 0.06), (x - 0.06, y - 0.21), (x + 0.01, y - 0.08)
        sketch.pen.polygon([sketch.at(*corner) for corner in corners], fill=ear)
    elif breed.ears == "floppy":
        sketch.ellipse(x - 0.06, y + 0.04, 0.08, 0.2, ear)
    else:
        sketch.ellipse(x - 0.06, y - 0.08, 0.11, 0.11, ear)
