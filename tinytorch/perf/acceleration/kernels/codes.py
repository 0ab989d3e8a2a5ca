"""The numbers that programs are written in."""

LINEAR, UNARY, BINARY, NORMALIZE, SOFTMAX, CONVOLVE, POOL, MOVE, EMBED, HOLD, ATTEND, DECODE = range(12)
RELU, GELU, SIGMOID, TANH = range(4)
ADD, SUBTRACT, MULTIPLY, DIVIDE = range(4)
FLOATS, CODES, PACKED, SPARSE = range(4)  # forms of a weight; each is described by numbers of its own:
FORM_SIZE = 9  # its form; addresses of its numbers, its table, its scales; how many scales; address of zero points;
#                bits of a code; axis of the scales; length of the table. Of sparse rows: values, columns, starts
ROW_SIZE = 16  # numbers in a row
AT_ONCE = 8  # rows of a matrix that are added at once
