"""Pictures for TensorBoard: examples of a task, and its confusion matrix.

They are drawn without Matplotlib, which takes half a second to load. All are [H, W, 3] uint8.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from command import one_line

# Pixels.
SIDE = 84  # of an example
GAP = 4  # between examples
TEXT, LINE = 11, 16  # the size of the font, and the height of a line
CELL = 36  # of a matrix with numbers
MAX_NAME = 110  # the width of a class's name beside a matrix
MAX_MATRIX = 1_000
COLUMNS = 8  # of pictures of up to three channels
# Standardized images are drawn from black, at this many deviations below the mean, to white.
DEVIATIONS = 3
# Matrices of more classes have no numbers, and no names.
MAX_NUMBERED, MAX_NAMED = 20, 60
LOW, HIGH = np.array([255, 255, 255]), np.array([8, 48, 107])  # colors of shares of 0 and 1


def draw_examples(images: np.ndarray, names: Sequence[str], standardized: bool) -> np.ndarray:
    """Draws images as the network sees them, each with a name below it.

    Args:
        images: [N, H, W, C] float32, in [0, 1] unless they are standardized. Of four channels the
            first is drawn as a gray picture, to the left of one of the other three.
        names: of the images.
    """
    if standardized:
        images = (images + DEVIATIONS) / (2 * DEVIATIONS)
    pixels = np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8)
    gray_too = pixels.shape[-1] == 4
    columns = COLUMNS // 2 if gray_too else COLUMNS
    width, height = (2 * SIDE if gray_too else SIDE) + GAP, SIDE + LINE + GAP
    rows = -(-len(pixels) // columns)
    picture, draw = blank(columns * width + GAP, rows * height + GAP)
    for place, (image, name) in enumerate(zip(pixels, names, strict=True)):
        x, y = GAP + place % columns * width, GAP + place // columns * height
        parts = [np.repeat(image[..., :1], 3, axis=-1)] if gray_too else []
        for number, part in enumerate([*parts, image[..., -3:]]):
            picture.paste(scaled(part), (x + number * SIDE, y))
        write(draw, (x, y + SIDE), name, width - GAP)
    return np.asarray(picture)


def scaled(pixels: np.ndarray) -> Image.Image:
    """Returns pixels [H, W, 3] uint8 at the size of an example."""
    how = Image.Resampling.NEAREST if len(pixels) < SIDE else Image.Resampling.BOX
    return Image.fromarray(pixels).resize((SIDE, SIDE), how)


def draw_confusion(counts: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Draws a confusion matrix, each cell shaded by its share of the images of its true class.

    Args:
        counts: [classes, classes] int64, a row for each true class, a column for each prediction.
        names: the classes'. They, and the counts, are written where there is space for them.
    """
    classes = len(counts)
    legend = f"{classes} classes; rows: the true class, columns: the predicted one"
    if classes > MAX_MATRIX:
        size = -(-classes // MAX_MATRIX)
        counts = summed(counts, size)
        legend += f"; {size} classes to a pixel"
    side = CELL if classes <= MAX_NUMBERED else max(MAX_MATRIX * 4 // 5 // len(counts), 1)
    names = [one_line(name) for name in names] if classes <= MAX_NAMED else []
    width = min(1 + int(max(map(font().getlength, names), default=0)), MAX_NAME)
    left, top = width + 2 * GAP, width + LINE + 2 * GAP  # of the matrix
    size = side * len(counts)
    picture, draw = blank(left + max(size, 3 * MAX_NAME) + GAP, top + size + GAP)
    write(draw, (GAP, 0), legend, picture.width)
    for place, name in enumerate(names):
        write(draw, (GAP, top + place * side + (side - LINE) // 2), name, width)
        label, on_it = blank(width, min(side, LINE))
        write(on_it, (0, 0), name, width)
        x = left + place * side + (side - label.height) // 2
        picture.paste(label.rotate(90, expand=True), (x, top - width - GAP))
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shades = np.rint(LOW + shares[..., np.newaxis] * (HIGH - LOW)).astype(np.uint8)
    cells = np.kron(shades, np.ones((side, side, 1), np.uint8))
    picture.paste(Image.fromarray(cells), (left, top))
    for row, column in np.argwhere(counts) if classes <= MAX_NUMBERED else ():
        middle = (left + (column + 0.5) * side, top + (row + 0.5) * side)
        color = "white" if shares[row, column] > 0.5 else "black"
        draw.text(middle, str(counts[row, column]), color, font(), anchor="mm")
    return np.asarray(picture)


def summed(counts: np.ndarray, size: int) -> np.ndarray:
    """Sums the counts of every `size` neighboring rows and columns."""
    starts = np.arange(0, len(counts), size)
    return np.add.reduceat(np.add.reduceat(counts, starts, axis=0), starts, axis=1)


def blank(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Returns a white picture, and what draws on it."""
    picture = Image.new("RGB", (width, height), "white")
    return picture, ImageDraw.Draw(picture)


def font() -> ImageFont.FreeTypeFont:
    """Returns Pillow's own font."""
    return ImageFont.load_default(TEXT)


def write(draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, width: int) -> None:
    """Writes a line of text from its upper left corner on, cut to a width in pixels."""
    text = one_line(text)[:width]  # no character has less than a pixel
    while font().getlength(text) > width:
        text = text.removesuffix("…")[:-1] + "…"
    draw.text(place, text, "black", font())
