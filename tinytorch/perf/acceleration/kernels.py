"""The compiled back end: one function that goes through a program, a table of numbers, and runs a kernel for each row.

It is compiled once for all models, by numba, and kept on disk beside this file or in the user's cache. A row holds the
kernel's number, then addresses of arrays and sizes, in the order of the kernel's arguments (`machine` writes it). All
arrays of floats are float32 and contiguous but where a row says otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.extending import intrinsic

F0, F1 = np.float32(0), np.float32(1)
LINEAR, UNARY, BINARY, NORMALIZE, SOFTMAX, CONVOLVE, POOL, MOVE, EMBED, HOLD, ATTEND = range(11)
RELU, GELU, SIGMOID, TANH, EXP, NEGATE, ABSOLUTE, SQUARE_ROOT = range(8)
ADD, SUBTRACT, MULTIPLY, DIVIDE = range(4)
FLOATS, CODES, PACKED, SPARSE = range(4)

compiled = njit(cache=True, fastmath={"nsz", "arcp", "contract", "afn", "reassoc"}, error_model="numpy", nogil=True)


def _pointer_to(kind: Any) -> Any:
    """A function from an address to a pointer, for `carray`."""
    result = types.CPointer(kind)

    @intrinsic  # type: ignore[untyped-decorator]
    def pointer(context: Any, address: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], target.get_value_type(result))

        return result(types.int64), generate

    return pointer


_float32, _float64, _int8, _uint8 = (_pointer_to(k) for k in (types.float32, types.float64, types.int8, types.uint8))
_uint16, _int32, _int64 = (_pointer_to(kind) for kind in (types.uint16, types.int32, types.int64))


@intrinsic  # type: ignore[untyped-decorator]
def _bits_as_float(context: Any, bits: Any) -> Any:
    """The float32 whose bits an int32 has."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target.get_value_type(types.float32))

    return types.float32(types.int32), generate


@compiled
def _exp(x):
    """e^x within 2e-7, in steps that the compiler makes vectors of (the method of Cephes' expf)."""
    bounded = min(max(x, np.float32(-87.0)), np.float32(88.0))
    whole = np.floor(bounded * np.float32(1.44269504) + np.float32(0.5))
    rest = bounded - whole * np.float32(0.693359375) + whole * np.float32(2.12194440e-4)
    power = np.float32(1.9875691500e-4)
    power = power * rest + np.float32(1.3981999507e-3)
    power = power * rest + np.float32(8.3334519073e-3)
    power = power * rest + np.float32(4.1665795894e-2)
    power = power * rest + np.float32(1.6666665459e-1)
    power = power * rest + np.float32(5.0000001201e-1)
    power = power * rest * rest + rest + F1
    return power * _bits_as_float((np.int32(whole) + np.int32(127)) << np.int32(23))


@compiled
def _sigmoid(x):
    return F1 / (F1 + _exp(-x))


@compiled
def _add_product(x, index, count, w, step, y, size):
    """y[:size] += x[index] @ w[index], for `count` places in `index`; rows of w lie `step` apart. Eight at a time."""
    k = 0
    while k + 8 <= count:
        i0, i1, i2, i3 = index[k], index[k + 1], index[k + 2], index[k + 3]
        i4, i5, i6, i7 = index[k + 4], index[k + 5], index[k + 6], index[k + 7]
        a, b, c, d, e, f, g, h = x[i0], x[i1], x[i2], x[i3], x[i4], x[i5], x[i6], x[i7]
        p, q, r, s = w[i0 * step :], w[i1 * step :], w[i2 * step :], w[i3 * step :]
        t, u, v, z = w[i4 * step :], w[i5 * step :], w[i6 * step :], w[i7 * step :]
        for j in range(size):
            first = a * p[j] + b * q[j] + c * r[j] + d * s[j]
            y[j] += first + (e * t[j] + f * u[j] + g * v[j] + h * z[j])
        k += 8
    while k < count:
        a, p = x[index[k]], w[index[k] * step :]
        for j in range(size):
            y[j] += a * p[j]
        k += 1


@compiled
def _not_zero(x, size, index):
    """Write the places of what is not zero, which ReLU leaves about half of, and return how many there are."""
    count = 0
    for k in range(size):
        index[count] = k
        count += x[k] != 0
    return count


@compiled
def _linear(row):
    """Rows of x times a matrix in one of four forms, then scale and bias: x, y, index, rows, K, N, stride of x, form..."""
    rows, height, width, stride, form = row[4], row[5], row[6], row[7], row[8]
    index = carray(_int64(row[3]), height + 1)
    for number in range(rows):
        x = carray(_float32(row[1] + 4 * number * stride), height)
        y = carray(_float32(row[2] + 4 * number * width), width)
        count = _not_zero(x, height, index)
        start_from_scratch = row[12] != 0 or row[11] == 0
        if start_from_scratch:
            for j in range(width):
                y[j] = F0
        else:
            bias = carray(_float32(row[11]), width)
            for j in range(width):
                y[j] = bias[j]
        if form == FLOATS:
            _add_product(x, index, count, carray(_float32(row[9]), height * width), width, y, width)
        elif form == CODES:
            _add_product(x, index, count, carray(_int8(row[9]), height * width), width, y, width)
        elif form == PACKED:
            _add_packed(x, index, count, row, y)
        else:
            _add_sparse(x, index, count, row, y)
        if row[12]:
            _scale(x, index, count, row, y)


@compiled
def _scale(x, index, count, row, y):
    """What sums of codes stand for: minus the zero point's share, times the scale, plus the bias."""
    width = row[6]
    scale = carray(_float32(row[12]), row[13])
    if row[14]:
        zero_point, total = carray(_int8(row[14]), row[13]), F0
        for k in range(count):
            total += x[index[k]]
        for j in range(width):
            y[j] -= total * zero_point[j % row[13]]
    if row[13] == 1:
        for j in range(width):
            y[j] *= scale[0]
    else:
        for j in range(width):
            y[j] *= scale[j]
    if row[11]:
        bias = carray(_float32(row[11]), width)
        for j in range(width):
            y[j] += bias[j]


@compiled
def _add_packed(x, index, count, row, y):
    """Codes of 1, 2, 4 or 8 bits that number values of a table; a row is looked up as a whole, then added."""
    height, width, bits = row[5], row[6], row[15]
    codes, values = carray(_uint8(row[9]), height * width), carray(_float32(row[10]), 1 << bits)
    each, mask = 8 // bits, (1 << bits) - 1
    looked_up = carray(_float32(row[16]), 8 * width)
    rows = carray(_int64(row[17]), 8)
    for k in range(0, count, 8):
        taken = min(8, count - k)
        for number in range(taken):
            first = index[k + number] * width
            target = number * width
            if bits == 4 and first % 2 == 0 and width % 2 == 0:
                for pair in range(width // 2):
                    code = codes[first // 2 + pair]
                    looked_up[target + 2 * pair] = values[code & 15]
                    looked_up[target + 2 * pair + 1] = values[code >> 4]
            else:
                for j in range(width):
                    place = first + j
                    looked_up[target + j] = values[(codes[place // each] >> (bits * (place % each))) & mask]
            rows[number] = number
        chosen = carray(_float32(row[18]), 8)
        for number in range(taken):
            chosen[number] = x[index[k + number]]
        _add_product(chosen, rows, taken, looked_up, width, y, width)


@compiled
def _add_sparse(x, index, count, row, y):
    """Compressed sparse rows: values, columns (uint16 or uint32 as int32), starts."""
    starts = carray(_int32(row[15]), row[5] + 1)
    values = carray(_float32(row[9]), starts[row[5]])
    columns = carray(_uint16(row[10]), starts[row[5]])
    for k in range(count):
        i = index[k]
        a = x[i]
        for place in range(starts[i], starts[i + 1]):
            y[columns[place]] += a * values[place]


@compiled
def _unary(row):
    """kind, x, y, count."""
    x, y, count, kind = carray(_float32(row[2]), row[4]), carray(_float32(row[3]), row[4]), row[4], row[1]
    if kind == RELU:
        for j in range(count):
            y[j] = max(x[j], F0)
    elif kind == GELU:
        for j in range(count):
            a = x[j]
            y[j] = a * _sigmoid(np.float32(1.5957691216) * (a + np.float32(0.044715) * a * a * a))
    elif kind == SIGMOID:
        for j in range(count):
            y[j] = _sigmoid(x[j])
    elif kind == TANH:
        for j in range(count):
            y[j] = np.float32(2) * _sigmoid(np.float32(2) * x[j]) - F1
    elif kind == EXP:
        for j in range(count):
            y[j] = np.exp(x[j])
    elif kind == NEGATE:
        for j in range(count):
            y[j] = -x[j]
    elif kind == ABSOLUTE:
        for j in range(count):
            y[j] = abs(x[j])
    else:
        for j in range(count):
            y[j] = np.sqrt(x[j])


@compiled
def _binary(row):
    """kind, a, b, y, rows, size, stride of a and of y, how many numbers b has: all, one row, or one."""
    rows, size, b_size = row[5], row[6], row[8]
    for number in range(rows):
        a = carray(_float32(row[2] + 4 * number * row[7]), size)
        b = carray(_float32(row[3] + (4 * number * size if b_size > size else 0)), size)
        y = carray(_float32(row[4] + 4 * number * row[7]), size)
        if b_size == 1:
            _combine_number(row[1], a, b[0], y, size)
        else:
            _combine(row[1], a, b, y, size)


@compiled
def _combine(kind, a, b, y, size):
    if kind == ADD:
        for j in range(size):
            y[j] = a[j] + b[j]
    elif kind == SUBTRACT:
        for j in range(size):
            y[j] = a[j] - b[j]
    elif kind == MULTIPLY:
        for j in range(size):
            y[j] = a[j] * b[j]
    else:
        for j in range(size):
            y[j] = a[j] / b[j]


@compiled
def _combine_number(kind, a, b, y, size):
    for j in range(size):
        if kind == ADD:
            y[j] = a[j] + b
        elif kind == SUBTRACT:
            y[j] = a[j] - b
        elif kind == MULTIPLY:
            y[j] = a[j] * b
        else:
            y[j] = a[j] / b


@compiled
def _normalize(row):
    """x, y, rows, size, stride of x, whether means are zero already, address of epsilon."""
    size, epsilon = row[4], carray(_float32(row[7]), 1)[0]
    for number in range(row[3]):
        x, y = carray(_float32(row[1] + 4 * number * row[5]), size), carray(_float32(row[2] + 4 * number * size), size)
        mean = F0
        if not row[6]:
            for j in range(size):
                mean += x[j]
            mean /= size
        square = F0
        for j in range(size):
            square += (x[j] - mean) * (x[j] - mean)
        factor = F1 / np.sqrt(square / np.float32(size) + epsilon)
        for j in range(size):
            y[j] = (x[j] - mean) * factor


@compiled
def _softmax_of(x, y, size):
    largest = x[0]
    for j in range(size):
        largest = max(largest, x[j])
    total = F0
    for j in range(size):
        y[j] = _exp(x[j] - largest)
        total += y[j]
    factor = F1 / total
    for j in range(size):
        y[j] *= factor


@compiled
def _softmax(row):
    """x, y, rows, size."""
    for number in range(row[3]):
        offset = 4 * number * row[4]
        _softmax_of(carray(_float32(row[1] + offset), row[4]), carray(_float32(row[2] + offset), row[4]), row[4])


@compiled
def _move(row):
    """Copy four axes: x, y, sizes, strides of x, strides of y, in numbers."""
    x, y = carray(_float32(row[1]), 1 << 40), carray(_float32(row[2]), 1 << 40)
    for a in range(row[3]):
        for b in range(row[4]):
            for c in range(row[5]):
                source, target = a * row[7] + b * row[8] + c * row[9], a * row[11] + b * row[12] + c * row[13]
                if row[10] == 1 and row[14] == 1:
                    for d in range(row[6]):
                        y[target + d] = x[source + d]
                else:
                    for d in range(row[6]):
                        y[target + d * row[14]] = x[source + d * row[10]]


@compiled
def _convolve(row):
    """Images that are padded already, (N, H, W, C), under a matrix (KH KW C, O): every window's rows by themselves.

    x, y, matrix, bias, index, samples, rows, columns, strip (KW C), outputs, KH, bytes from pixel to pixel, row to row
    and image to image.
    """
    strip, outputs, kernel = row[9], row[10], row[11]
    index = carray(_int64(row[5]), strip + 1)
    for sample in range(row[6]):
        for top in range(row[7]):
            for left in range(row[8]):
                place = (sample * row[7] + top) * row[8] + left
                y = carray(_float32(row[2] + 4 * place * outputs), outputs)
                bias = carray(_float32(row[4]), outputs)
                for j in range(outputs):
                    y[j] = bias[j]
                corner = row[1] + sample * row[14] + top * row[13] + left * row[12]
                for line in range(kernel):
                    x = carray(_float32(corner + line * row[15]), strip)
                    count = _not_zero(x, strip, index)
                    matrix = carray(_float32(row[3] + 4 * line * strip * outputs), strip * outputs)
                    _add_product(x, index, count, matrix, outputs, y, outputs)


@compiled
def _pool(row):
    """x, y, samples, rows, columns, channels, KH, KW, stride, H, W, whether the mean: images (N, H, W, C)."""
    channels, height, width, stride, is_mean = row[6], row[10], row[11], row[9], row[12]
    for sample in range(row[3]):
        for top in range(row[4]):
            for left in range(row[5]):
                y = carray(_float32(row[2] + 4 * channels * ((sample * row[4] + top) * row[5] + left)), channels)
                for place in range(row[7] * row[8]):
                    line, column = top * stride + place // row[8], left * stride + place % row[8]
                    x = carray(_float32(row[1] + 4 * channels * ((sample * height + line) * width + column)), channels)
                    if place == 0:
                        for c in range(channels):
                            y[c] = x[c]
                    elif is_mean:
                        for c in range(channels):
                            y[c] += x[c]
                    else:
                        for c in range(channels):
                            y[c] = max(y[c], x[c])
                if is_mean:
                    share = F1 / np.float32(row[7] * row[8])
                    for c in range(channels):
                        y[c] *= share


@compiled
def _embed(row):
    """tokens, y, table, positions, start, samples, count, size."""
    tokens, start = carray(_int64(row[1]), row[6] * row[7]), carray(_int64(row[5]), 1)[0]
    for number in range(row[6] * row[7]):
        y = carray(_float32(row[2] + 4 * number * row[8]), row[8])
        a = carray(_float32(row[3] + 4 * tokens[number] * row[8]), row[8])
        b = carray(_float32(row[4] + 4 * (start + number % row[7]) * row[8]), row[8])
        for j in range(row[8]):
            y[j] = a[j] + b[j]


@compiled
def _hold(row):
    """projected, keys, values, start, samples, count, heads, size, length: as `array_calls` says."""
    start, samples, count, heads, size, length = carray(_int64(row[4]), 1)[0], row[5], row[6], row[7], row[8], row[9]
    x = carray(_float32(row[1]), samples * count * 3 * heads * size)
    keys = carray(_float32(row[2]), samples * heads * (size + 1) * length)
    values = carray(_float32(row[3]), samples * heads * length * (size + 1))
    for sample in range(samples):
        for number in range(count):
            for head in range(heads):
                source = ((sample * count + number) * 3 * heads + heads + head) * size
                own = sample * heads + head
                for d in range(size):
                    keys[(own * (size + 1) + d) * length + start + number] = x[source + d]
                    values[(own * length + start + number) * (size + 1) + d] = x[source + heads * size + d]
                keys[(own * (size + 1) + size) * length + start + number] = F0


@compiled
def _attend(row):
    """projected, keys, values, start, samples, count, heads, size, length, y, scores, index."""
    start, samples, count, heads, size, length = carray(_int64(row[4]), 1)[0], row[5], row[6], row[7], row[8], row[9]
    query, scores = carray(_float32(row[13]), size), carray(_float32(row[11]), length)
    index = carray(_int64(row[12]), length + size + 1)
    scale = F1 / np.sqrt(np.float32(size))
    for sample in range(samples):
        for number in range(count):
            held = start + number + 1
            for head in range(heads):
                own, place = sample * heads + head, sample * count + number
                x = carray(_float32(row[1] + 4 * (place * 3 * heads + head) * size), size)
                y = carray(_float32(row[10] + 4 * (place * heads + head) * size), size)
                for d in range(size):
                    query[d] = scale * x[d]
                    y[d] = F0
                    index[d] = d
                for s in range(held):
                    scores[s] = F0
                keys = carray(_float32(row[2] + 4 * own * (size + 1) * length), (size + 1) * length)
                _add_product(query, index, size, keys, length, scores, held)
                _softmax_of(scores, scores, held)
                values = carray(_float32(row[3] + 4 * own * (size + 1) * length), (size + 1) * length)
                count_held = _not_zero(scores, held, index)
                _add_product(scores, index, count_held, values, size + 1, y, size)


@compiled
def run(program):
    """Run every row of a program (rows, 20), int64, in order."""
    for number in range(program.shape[0]):
        row = program[number]
        kind = row[0]
        if kind == LINEAR:
            _linear(row)
        elif kind == UNARY:
            _unary(row)
        elif kind == BINARY:
            _binary(row)
        elif kind == NORMALIZE:
            _normalize(row)
        elif kind == SOFTMAX:
            _softmax(row)
        elif kind == CONVOLVE:
            _convolve(row)
        elif kind == POOL:
            _pool(row)
        elif kind == MOVE:
            _move(row)
        elif kind == EMBED:
            _embed(row)
        elif kind == HOLD:
            _hold(row)
        else:
            _attend(row)
