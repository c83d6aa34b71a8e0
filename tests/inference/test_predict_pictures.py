"""Pictures of digits: brought to MNIST's form whatever they are, and read by the pretrained weights."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from strokes import draw

import kerazoo
from kerazoo.data.digits import as_digit
from kerazoo.data.pictures import read_picture

DRAWN = {
    "black on white": {},
    "white on black": {"ink": 255, "ground": 0},
    "grey on grey": {"ink": 90, "ground": 200},
    "off-centre": {"box": (110, 100, 190, 190), "width": 9},
    "in a corner": {"box": (5, 5, 60, 70), "width": 6},
    "thin": {"width": 2},
    "thick": {"width": 34},
    "slanted": {"slant": 0.25},
    "slanted back": {"slant": -0.2},
    "transparent": {"mode": "RGBA", "ink": (0, 0, 0, 255), "ground": (0, 0, 0, 0)},
    "red on yellow": {"mode": "RGB", "ink": (200, 0, 0), "ground": (255, 240, 90)},
}


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_drawn_digits_are_read():
    """Half of the digits in each style, so that each digit is drawn in half of the styles."""
    drawn = [(style, digit) for place, style in enumerate(DRAWN) for digit in range(place % 2, 10, 2)]
    found = kerazoo.predict("mnist_mlp_dropout", [draw(digit, **DRAWN[style]) for style, digit in drawn])
    wrong = [pair for pair, one in zip(drawn, found, strict=True) if one.label != str(pair[1])]
    assert len(wrong) <= 3, wrong
    assert max(map([style for style, _ in wrong].count, DRAWN)) <= 1, wrong


def digit_of(image):
    return as_digit(read_picture(io.BytesIO(png(image)), "drawn"), "drawn").reshape(28, 28)


def test_a_digit_is_scaled_and_centred_as_in_mnist():
    digit = digit_of(draw(7, box=(120, 20, 160, 60), width=5))
    assert digit.dtype == np.float32
    assert digit.min() == 0
    assert digit.max() == 1
    rows, columns = np.flatnonzero(digit.any(1)), np.flatnonzero(digit.any(0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    places = np.arange(28)
    assert digit.sum(1) @ places / digit.sum() == pytest.approx(14, abs=0.5)
    assert digit.sum(0) @ places / digit.sum() == pytest.approx(14, abs=0.5)


def test_colours_may_be_swapped_and_depth_may_be_16_bit():
    plain = draw(5)
    turned = Image.fromarray(255 - np.asarray(plain))
    deep = Image.fromarray(np.asarray(plain).astype(np.uint16) * 200)
    black_and_white = plain.convert("1")
    for other in (turned, deep, black_and_white, plain.convert("P"), plain.convert("RGBA")):
        np.testing.assert_allclose(digit_of(other), digit_of(plain), atol=0.02)


def test_an_image_of_pillow_is_read_as_its_file_is():
    plain = draw(3)
    images = [
        plain.resize((28, 28)),  # dark on light, though of MNIST's size
        plain.resize((784, 300)),
        draw(3, mode="RGBA", ink=(0, 0, 0, 255), ground=(0, 0, 0, 0)),
        plain.convert("LA"),
        plain.convert("RGB").quantize(8),
    ]
    as_files = kerazoo.predict("mnist_mlp", [png(image) for image in images])
    for one, other in zip(kerazoo.predict("mnist_mlp", images), as_files, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
    (black,) = kerazoo.predict("mnist_mlp", plain.convert("CMYK"))
    np.testing.assert_allclose(black.pixels, digit_of(plain), atol=0.02)


def test_large_arrays_are_reduced():
    large = np.asarray(draw(6)).astype(np.uint16).repeat(11, 0).repeat(11, 1) * 200
    np.testing.assert_allclose(as_digit(large, "large").reshape(28, 28), digit_of(draw(6)), atol=0.1)
    with pytest.raises(kerazoo.DataError, match="at most 64,000,000"):
        as_digit(np.broadcast_to(np.uint8(0), (20_000, 5_000)), "broad")


def test_alpha_is_the_ink_where_it_alone_has_a_shape():
    for colour in (0, 255):
        pen = (colour, colour, colour, 255)
        drawn = draw(3, mode="RGBA", ink=pen, ground=(colour, colour, colour, 0))
        np.testing.assert_allclose(digit_of(drawn), digit_of(draw(3)), atol=0.02)


def test_a_rotated_photograph_is_turned_upright():
    drawn = draw(4)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    file = io.BytesIO()
    drawn.rotate(90).save(file, "JPEG", quality=95, exif=exif)
    upright = as_digit(read_picture(file, "photograph"), "photograph").reshape(28, 28)
    assert np.abs(upright - digit_of(drawn)).mean() < 0.03


def test_noise_and_shadow_are_not_ink():
    generator = np.random.default_rng(0)
    plain = np.asarray(draw(8), np.float32)
    paper = plain * 0.7 + np.linspace(30, 60, 200) + generator.normal(0, 4, (200, 200))
    digit, wanted = as_digit(paper, "paper").reshape(28, 28), digit_of(draw(8))
    moved = [np.roll(wanted, by, axis=(0, 1)) for by in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))]
    assert min(np.abs(digit - one).mean() for one in moved) < 0.02


def bomb():
    """A PNG that says it is a million pixels either way."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 10**6, 10**6, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))


def broken_archive():
    """An .npz whose packed numbers are damaged."""
    file = io.BytesIO()
    np.savez_compressed(file, x=np.arange(1000))
    content = bytearray(file.getvalue())
    content[60:80] = bytes(255 for _ in range(20))
    return bytes(content)


def header(shape):
    """An .npy of numbers that are not there."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.getvalue()


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
LARGE = png(Image.new("1", (20_000, 5_000)))  # 100 million pixels in a few kilobytes


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (b"no picture at all", "not a picture"),
        (b"", "empty"),
        (bomb(), "too large|at most"),
        (LARGE, "at most 64,000,000"),
        (png(draw(3))[:200], "cannot be read as a picture"),
        (png(Image.new("L", (50, 50), 7)), "one colour"),
        ("", "an input is an empty text"),
        ("nowhere.png", "is not a file"),
        ("x" * 5000, "cannot be read"),
        ("a\0.png", "cannot be read"),
        (POSTSCRIPT, "not a picture"),
        (b"\x93NUMPY\x01", "cannot be read as arrays"),
        (header((10**12,)), "cannot be read as arrays"),
        (broken_archive(), "cannot be read as arrays"),
        ([[[1, 2], [3]]], "different lengths"),
        ([1, [2]], "different lengths"),
        ([np.full((40, 40), 1e300)], "infinity"),
        (np.zeros((3, 5, 7, 2)), "has shape"),
        (np.full((28, 28), np.nan), "NaN"),
        (np.array([["a", "b"]]), "dtype"),
        ([], "nothing to predict"),
    ],
)
def test_what_is_no_digit_is_refused_in_one_line(given, told):
    with pytest.raises(kerazoo.DataError, match=told) as caught:
        kerazoo.predict("mnist_mlp", given)
    assert "\n" not in str(caught.value)


def test_files_directories_and_arrays_give_the_same_answers(tmp_path):
    digits = [draw(digit) for digit in (2, 0, 9)]
    for place, image in enumerate(digits):
        image.save(tmp_path / f"{place}.png")
    rows = np.stack([digit_of(image) for image in digits])
    np.save(tmp_path / "rows.npy", rows)
    np.savez(tmp_path / "rows.npz", x=rows, y=np.arange(3))
    wanted = ["2", "0", "9"]
    for given in (
        tmp_path,
        sorted(tmp_path.glob("*.png")),
        tmp_path / "rows.npy",
        str(tmp_path / "rows.npz"),
        rows,
        rows.reshape(3, 784),
        (rows * 255).round().astype(np.uint8),
        (np.asarray(image) for image in digits),
        digits,
    ):
        found = kerazoo.predict("mnist_mlp_dropout", given)
        assert [one.label for one in found] == wanted
        assert all(one.pixels.shape == (28, 28) for one in found)
        assert all(sum(one.probabilities.values()) == pytest.approx(1, abs=1e-5) for one in found)
        assert all(one.probability == max(one.probabilities.values()) for one in found)


def test_inputs_are_read_as_answers_are_taken():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield np.zeros((28, 28), np.uint8)

    from kerazoo.inference.predicting import stream

    found = stream("mnist_mlp", endless())
    for _ in range(300):
        next(found)
    assert len(taken) <= 600
