"""The numbers that programs are written in."""

LINEAR, UNARY, BINARY, NORMALIZE, SOFTMAX, CONVOLVE, POOL, MOVE, EMBED, HOLD, ATTEND, DECODE = range(12)
RELU, GELU, SIGMOID, TANH = range(4)
ADD, SUBTRACT, MULTIPLY, DIVIDE = range(4)
FLOATS, CODES, PACKED, SPARSE = range(4)  # forms of a weight; each is described by numbers of its own:
FORM_SIZE = 8  # its form, the addresses of its numbers and of its table, of its scales, how many, of its zero points,
#                bits of a code, axis of the scales; of sparse rows the addresses of values, columns and starts
ROW_SIZE = 16  # numbers in a row
AT_ONCE = 8  # rows of a matrix that are added at once
