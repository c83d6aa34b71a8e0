"""Digits drawn as people draw them with a mouse: a few strokes of a round pen."""

import math

from PIL import Image, ImageDraw


def _arc(x, y, wide, high, begin, end, steps=24):
    angles = [math.radians(begin + (end - begin) * step / steps) for step in range(steps + 1)]
    return [(x + wide * math.cos(angle), y + high * math.sin(angle)) for angle in angles]


STROKES = {  # in a unit square, from the top left
    0: [_arc(0.5, 0.5, 0.3, 0.46, -90, 270)],
    1: [[(0.38, 0.2), (0.54, 0.04), (0.54, 0.96)]],
    2: [[*_arc(0.48, 0.3, 0.28, 0.26, -170, 30), (0.2, 0.95), (0.82, 0.95)]],
    3: [_arc(0.45, 0.28, 0.28, 0.24, -150, 80) + _arc(0.45, 0.73, 0.32, 0.24, -80, 150)],
    4: [[(0.6, 0.04), (0.18, 0.64), (0.85, 0.64)], [(0.64, 0.35), (0.62, 0.97)]],
    5: [[(0.78, 0.05), (0.3, 0.05), (0.27, 0.45), *_arc(0.46, 0.68, 0.3, 0.28, -120, 140)]],
    6: [[(0.66, 0.04), (0.38, 0.32), *_arc(0.5, 0.7, 0.26, 0.26, 200, -160)]],
    7: [[(0.18, 0.06), (0.8, 0.06), (0.42, 0.96)]],
    8: [_arc(0.5, 0.27, 0.22, 0.23, 90, 450) + _arc(0.5, 0.73, 0.27, 0.24, -90, 270)],
    9: [[*_arc(0.48, 0.3, 0.25, 0.25, 0, -360), (0.73, 0.3), (0.66, 0.96)]],
}


def draw(digit, *, size=200, box=(30, 30, 170, 170), width=14, ink=0, ground=255, mode="L", slant=0.0):
    """Return a picture of `digit` with strokes of `width` pixels in the `box` of a square of `size`."""
    image = Image.new(mode, (size, size), ground)
    pen = ImageDraw.Draw(image)
    left, top, right, bottom = box
    for stroke in STROKES[digit]:
        points = [(left + (x - slant * (y - 0.5)) * (right - left), top + y * (bottom - top)) for x, y in stroke]
        pen.line(points, fill=ink, width=width, joint="curve")
        for x, y in (points[0], points[-1]) if width > 2 else ():
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=ink)
    return image
