"""The numbers that programs are written in."""

LINEAR, UNARY, BINARY, NORMALIZE, SOFTMAX, CONVOLVE, POOL, MOVE, EMBED, HOLD, ATTEND = range(11)
RELU, GELU, SIGMOID, TANH = range(4)
ADD, SUBTRACT, MULTIPLY, DIVIDE = range(4)
FLOATS, CODES, PACKED, SPARSE = range(4)  # forms of a matrix
ROW_SIZE = 20  # numbers in a row
AT_ONCE = 8  # rows of a matrix that are added at once
