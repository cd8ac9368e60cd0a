"""Reads images from IDX files, and writes them as NPZ, with Python alone."""
import gzip
import zipfile


class Images:
    """Images of bytes, one after the other, and their labels."""

    def __init__(self, images, labels):
        (shape, self.pixels), (label_shape, self.labels) = read_idx(images), read_idx(labels)
        if len(shape) != 3 or len(label_shape) != 1:
            raise SystemExit(f"{images}, {labels}: expected images by rows by columns, and a label for each")
        self.n, self.height, self.width = shape
        if self.n != len(self.labels):
            raise SystemExit(f"{images} has {self.n} images, but {labels} has {len(self.labels)} labels")

    def image(self, index):
        size = self.height * self.width
        return self.pixels[index * size : (index + 1) * size]

    def by_label(self):
        """The indices of the images with each label."""
        found = {}
        for index, label in enumerate(self.labels):
            found.setdefault(label, []).append(index)
        return dict(sorted(found.items()))


def read_idx(path):
    """The shape and the bytes of an IDX file, packed by gzip or not."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    axes = data[3] if len(data) > 3 and data[:3] == b"\0\0\x08" else 0
    shape = [int.from_bytes(data[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(axes)]
    values, expected = data[4 + 4 * axes :], 1
    for size in shape:
        expected *= size
    if not axes or len(values) != expected:
        raise SystemExit(f"{path}: this is not a whole IDX file of bytes")
    return shape, values


def write_npz(path, images, shape, labels):
    """Writes the arrays `images`, of bytes, and `labels`. The same arrays give the same file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, size, values in [("images", shape, images), ("labels", (len(labels),), bytes(labels))]:
            header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {tuple(size)}, }}"
            header += " " * (-(len(header) + 11) % 64) + "\n"
            start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
            # An archive keeps the time otherwise.
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, start + header.encode() + values)
